"""How far a run is, and who wants to know."""

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from prefect import get_run_logger

from dip.pipeline.job import Outcome

LOG_EVERY_S = 30.0
SHARES_SHOWN = 4


@dataclass(frozen=True)
class Progress:
    """A run at one moment.

    Attributes:
        total: images of the run.
        before: images that were finished before this process took the run up.
        counts: images finished since, by status.
        elapsed_s: seconds since the first image was sent off.
        under_way: share that is done of images that take long.
    """

    total: int
    before: int
    counts: dict[str, int] = field(default_factory=dict)
    elapsed_s: float = 0.0
    under_way: dict[str, float] = field(default_factory=dict)

    @property
    def since(self) -> int:
        """Images finished by this process."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Images finished altogether."""
        return self.before + self.since

    @property
    def images_per_hour(self) -> float:
        """Pace of this process; 0 before its first image."""
        return 3600 * self.since / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far; None before the first image."""
        return 3600 * (self.total - self.done) / self.images_per_hour if self.since else None

    def __str__(self) -> str:
        pace = "" if self.seconds_left is None else f", {self.images_per_hour:.0f} images/h"
        left = "" if self.seconds_left is None else f", {duration(self.seconds_left)} left"
        failed = self.counts.get("failed", 0)
        shares = f"; {self.shares}" if self.under_way else ""
        return f"{self.done} of {self.total} images done, {failed} failed{pace}{left}{shares}"

    @property
    def shares(self) -> str:
        """How far the images under way are, in words."""
        shown = [f"{printable(name)} {share:.1%}" for name, share in self.under_way.items()]
        return ", ".join([*shown[:SHARES_SHOWN], *(["…"] if len(shown) > SHARES_SHOWN else [])])


def duration(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


Listener = Callable[[Progress], None]


class _LogListener:
    """Says how far the run is in the log, now and then."""

    def __init__(self) -> None:
        self._logged_at = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.done == progress.total or time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            get_run_logger().info("%s", progress)


listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
"""Who is told of progress. The command line sets it; otherwise the log is told."""


class Counter:
    """Counts outcomes from several threads and tells the listener."""

    def __init__(self, total: int, before: int) -> None:
        self._listener = listener.get() or _LogListener()
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._total, self._before = total, before
        self._counts = {"restored": 0, "failed": 0, "skipped": 0}
        self._under_way: dict[str, float] = {}
        self._tell()

    def add(self, outcome: Outcome) -> None:
        """Count one more finished image."""
        with self._lock:
            self._counts[outcome.status] = self._counts.get(outcome.status, 0) + 1
            self._under_way.pop(outcome.image_id, None)
            self._tell()

    def advance(self, image_id: str, share: float) -> None:
        """Note how far an image is."""
        with self._lock:
            self._under_way[image_id] = share
            self._tell()

    def _tell(self) -> None:
        elapsed_s = time.monotonic() - self._start
        under_way = dict(self._under_way)
        self._listener(Progress(self._total, self._before, dict(self._counts), elapsed_s, under_way))


def printable(text: str) -> str:
    """A text without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
