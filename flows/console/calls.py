"""Calls of flows; from what goes wrong in them to a sentence and an exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from dip.errors import DipError

CONTINUE = (
    "Interrupted. What is finished is safe, what was under way dropped; the same line continues the run."
)


def called(flow: Any, argument: Any, interrupted: str = CONTINUE) -> Any:
    """A flow's result, with its progress shown meanwhile."""
    from flows.console.display import displayed_progress
    from flows.console.server import prefect_server

    with interruptible(interrupted), displayed_progress(), prefect_server():
        return flow(argument)


@contextmanager
def interruptible(sentence: str) -> Iterator[None]:
    """Ctrl-C within the block, and what stops a container or closes a terminal, ends it with a sentence."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(sentence, err=True)
        sys.exit(130)


def _interrupt(*_: object) -> NoReturn:
    """What stops a container ends a run like Ctrl-C."""
    raise KeyboardInterrupt


@contextmanager
def refusals() -> Iterator[None]:
    """What a user can have caused ends the program with a sentence."""
    try:
        yield
    except DipError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)
