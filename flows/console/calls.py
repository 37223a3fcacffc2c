"""From the words of a command line to a call; from what goes wrong in it to a sentence and an exit code."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from flows.console.options import as_typed

CONTINUE = (
    "Interrupted. What is finished is safe, what was under way dropped; the same line continues the run."
)


def parameters_of(model: Any, asked: dict[str, Any]) -> Any:
    """What the options of the command line, the shared ones among them, ask of a flow."""
    from pydantic import ValidationError

    options = asked.pop("options")
    storage_options = _json_object(options.pop("storage_options"))
    options["exclude"] = tuple(options.get("exclude") or ())
    try:
        return model(**asked, **options, storage_options=storage_options)
    except ValidationError as error:
        _refuse("; ".join(_sentence(problem) for problem in error.errors()))


def _sentence(problem: Any) -> str:
    """What is wrong with an option."""
    message: str = problem["msg"].removeprefix("Value error, ")  # so pydantic calls what our validators say
    if not problem["loc"]:
        return message
    return f"{as_typed(problem['loc'][0])}: {message}; got {problem['input']!r}"


def called(flow: Any, argument: Any, interrupted: str = CONTINUE) -> Any:
    """A flow's result; what a user can have caused ends the program with a sentence."""
    from flows.console.display import displayed_progress
    from flows.console.server import prefect_server

    with interruptible(interrupted), refusals(), displayed_progress(), prefect_server():
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


def location_of(url: str, storage_options: str | None) -> Any:
    """The location of results that are looked at."""
    from dip.storage import Location

    return Location(url, _json_object(storage_options))


def _json_object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        _refuse(f"Expected --storage-options to be a JSON object; it is no JSON ({error}).")
    if not isinstance(value, dict):
        _refuse("Expected --storage-options to be a JSON object; got another kind of JSON.")
    return value


@contextmanager
def refusals() -> Iterator[None]:
    """What a user can have caused ends the program with a sentence."""
    from dip.errors import DipError

    try:
        yield
    except DipError as error:
        _refuse(error)


def _refuse(reason: object) -> NoReturn:
    typer.echo(f"Error: {reason}", err=True)
    sys.exit(2)
