"""Progress on the console: a live line on a terminal, plain lines now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from flows.progress import Progress, duration, listener

PLAIN_LINE_EVERY_S = 10.0


@contextmanager
def displayed_progress() -> Iterator[None]:
    """Show the progress of the runs within the block on the standard error stream."""
    console = Console(stderr=True)
    if not console.is_terminal:
        token = listener.set(_PlainLines())
        try:
            yield
        finally:
            listener.reset(token)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        live = _LiveLine(bar)
        token = listener.set(live)
        try:
            yield
        finally:
            listener.reset(token)


@contextmanager
def displayed_count(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show on the standard error stream how far something is that is told its count within the block."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _PlainCount(what)
        return
    with Bar(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _PlainCount:
    def __init__(self, what: str) -> None:
        self._what, self._said_at = what, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._said_at >= PLAIN_LINE_EVERY_S:
            self._said_at = time.monotonic()
            print(f"{self._what}: {done} of {total}", file=sys.stderr, flush=True)


class _PlainLines:
    def __init__(self) -> None:
        self._said_at = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.done in (progress.before, progress.total) or self._is_time():
            self._said_at = time.monotonic()
            print(progress, file=sys.stderr, flush=True)

    def _is_time(self) -> bool:
        return time.monotonic() - self._said_at >= PLAIN_LINE_EVERY_S


class _LiveLine:
    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None, pace="")

    def __call__(self, progress: Progress) -> None:
        failed = progress.counts.get("failed", 0)
        pace = f"{failed} failed"
        if progress.seconds_left is not None:
            pace += f" · {progress.images_per_hour:.0f} images/h · {duration(progress.seconds_left)} left"
        if progress.under_way:
            pace += f" · {progress.shares}"
        self._bar.update(
            self._task, description="restoring", completed=progress.done, total=progress.total, pace=pace
        )
