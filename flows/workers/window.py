"""The futures in flight: as many as the workers have slots, over all shards of a run together."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from distributed import Client, Future
from distributed.client import ClosedClientError
from distributed.scheduler import KilledWorker

from dip.errors import ClusterError, ImageError, StorageError
from dip.evaluation.studies.base import Trial
from dip.pipeline.job import Job
from flows.workers.cluster import RESOURCE, Workers, count_slots
from flows.workers.worker import in_turn

POLL_S = 1.0
ON_ITS_WAY_S = 0.1
"""About so long a job takes to its worker, and its outcome back. What is shorter goes several at a time."""
WITHOUT_WORKERS_S = 120.0
"""So long a run waits for a worker to come (back) before it ends."""


J = TypeVar("J", bound=Job | Trial)
R = TypeVar("R")
Ended = tuple[J, R | None, BaseException | None]
Finished = SimpleQueue[tuple[Sequence[J], Future]]


class Window(Generic[J, R]):
    """Sends jobs to workers, as many at once as there are slots; short ones a little ahead, and in bundles.

    Several shards share one window, so that no slot idles at the end of a shard. The number of slots
    follows the workers that come and go.

    Args:
        workers: that carry the jobs.
        work: what a worker does with a job.
        lost: what becomes of a job that no worker could finish.
    """

    def __init__(
        self, workers: Workers, work: Callable[[J], R], lost: Callable[[J, BaseException], R]
    ) -> None:
        self._work, self._lost = work, lost
        self._client: Client = workers.client
        self._device = workers.device
        self._condition = threading.Condition()
        self._in_flight = 0
        self._ended_at: deque[float] = deque()
        self._alone = 0  # jobs that have, or want, the workers for themselves
        self._numbers = count()
        self._sending: set[int] = set()
        self._slots = count_slots(self._client)
        self._looked_at = self._seen_at = time.monotonic()
        self.error: BaseException | None = None

    def abort(self, error: BaseException) -> None:
        """End all iterations over outcomes with a ClusterError; the first error is kept."""
        with self._condition:
            self.error = self.error or error
            self._condition.notify_all()

    def run(self, jobs: Iterable[J]) -> Iterator[R]:
        """Run jobs, and yield what became of each as it ends.

        A job whose workers died is tried once more when all others have ended, with nothing beside it, and
        then failed.

        Raises:
            ClusterError: there are no workers any more, or the run was aborted.
            StorageError: the output cannot be written to.
        """
        killed: list[J] = []
        for job, result, error in self._ended(jobs):
            if isinstance(error, KilledWorker):
                killed.append(job)
            else:
                yield self._carried_out(job, result, error)
        for job, result, error in self._ended(killed, alone=True):
            yield self._carried_out(job, result, error)

    def _ended(self, jobs: Iterable[J], alone: bool = False) -> Iterator[Ended[J, R]]:
        """Each job as it ends, with what it gave or what it failed with."""
        waiting, under_way = deque(jobs), 0
        finished: Finished[J] = SimpleQueue()
        number = next(self._numbers)
        while waiting or under_way:
            if waiting:
                self._submit(self._next_bundle(waiting, number, alone), finished, alone)
                under_way += 1
            for bundle, future in self._finished(finished, wait=not waiting):
                under_way -= 1
                ended = _of_bundle(bundle, *_fetched(future))
                waiting.extendleft(reversed(bundle[len(ended) :]))
                yield from ended

    def _finished(self, finished: Finished[J], wait: bool) -> Iterator[tuple[Sequence[J], Future]]:
        """The bundles that have ended meanwhile; one of them at least, if it is to be waited for."""
        while wait or not finished.empty():
            try:
                yield finished.get(timeout=POLL_S)
                wait = False
            except Empty:
                self._check()

    def _next_bundle(self, waiting: deque[J], number: int, alone: bool) -> list[J]:
        """Jobs for a slot, once it is their turn: who has the smallest number is served first.

        So one shard ends while others still have jobs to send.
        """
        with self._condition:
            self._sending.add(number)
            self._alone += alone
        try:
            size = self._slot_for(number, len(waiting), alone)
            return [waiting.popleft() for _ in range(size)]
        finally:
            if not waiting:
                self._stand_back(number)

    def _stand_back(self, number: int) -> None:
        with self._condition:
            self._sending.discard(number)
            self._condition.notify_all()

    def _slot_for(self, number: int, wanted: int, alone: bool) -> int:
        """Wait for a slot, and tell how many of the jobs it is for."""
        while True:
            self._check()
            with self._condition:
                if self._is_free(alone) and (alone or number == min(self._sending)):
                    size = 1 if alone else min(wanted, max(1, self._just_ended() // max(1, self._slots)))
                    self._in_flight += size
                    return size
                self._condition.wait(POLL_S)

    def _submit(self, bundle: Sequence[J], finished: Finished[J], alone: bool) -> None:
        jobs = [replace(job, device=self._device) for job in bundle]
        with _scheduler_expected():
            future = self._client.submit(in_turn, self._work, jobs, resources={RESOURCE: 1}, pure=False)

        def when_done(future: Future) -> None:
            with self._condition:
                self._in_flight -= len(bundle)
                self._ended_at.extend([time.monotonic()] * len(bundle))
                self._alone -= alone
                self._condition.notify_all()
            finished.put((bundle, future))

        future.add_done_callback(when_done)

    def _carried_out(self, job: J, result: Any, error: BaseException | None) -> R:
        if error is None:
            found: R = result
            return found
        if isinstance(error, StorageError):
            raise error
        if isinstance(error, KilledWorker):
            error = ImageError(
                "Expected a restoration; its worker process died each time it was tried, alone in the end "
                f"({job.image_id}). Perhaps the image is too large for the machine's memory, or hung beyond "
                "its time limit."
            )
        return self._lost(job, error)

    def _is_free(self, alone: bool) -> bool:
        if alone:
            return self._in_flight == 0 and self._slots > 0
        return self._in_flight < self._slots + self._just_ended() and not self._alone

    def _just_ended(self) -> int:
        """How many jobs end while one is on its way: so many are sent before there is a slot."""
        since = time.monotonic() - ON_ITS_WAY_S
        while self._ended_at and self._ended_at[0] < since:
            self._ended_at.popleft()
        return len(self._ended_at)

    def _check(self) -> None:
        """Count the slots anew from time to time, and raise if there is no point in waiting."""
        if self.error is not None:
            raise ClusterError("The run was ended.") from self.error
        with self._condition:
            now = time.monotonic()
            if now - self._looked_at < POLL_S:
                return
            self._looked_at = now
        with _scheduler_expected():
            self._slots = count_slots(self._client)
        if self._slots:
            self._seen_at = now
        elif now - self._seen_at > WITHOUT_WORKERS_S:
            raise ClusterError(_continue_later(f"there has been none for {WITHOUT_WORKERS_S:.0f} s"))


def _of_bundle(bundle: Sequence[J], results: Sequence[R], error: BaseException | None) -> list[Ended[J, R]]:
    """What became of the first jobs of a bundle; the others have not been begun."""
    if isinstance(error, KilledWorker):  # any of them can have been the one
        return [(job, None, error) for job in bundle]
    if error is not None:
        return [(bundle[0], None, error)]
    return [(job, result, None) for job, result in zip(bundle, results, strict=False)]


def _fetched(future: Future) -> tuple[Any, BaseException | None]:
    """What a future gave, or what it failed with.

    A result can be lost with its worker before it is here: it is then worked out again, and waited for.

    Raises:
        ClusterError: it neither ended nor failed: its scheduler is gone.
    """
    try:
        return future.result(), None
    except Exception as error:
        if future.status != "error":
            raise ClusterError(_continue_later("the Dask scheduler was lost")) from error
        return None, error


@contextmanager
def _scheduler_expected() -> Iterator[None]:
    """End what is asked of the client in a ClusterError if its scheduler is gone."""
    try:
        yield
    except (OSError, CancelledError, ClosedClientError, ValueError) as error:  # ValueError: it gave up
        raise ClusterError(_continue_later("the Dask scheduler does not answer")) from error


def _continue_later(reason: str) -> str:
    return (
        f"Expected workers to restore images; {reason}. What is finished is safe; "
        "the same line continues the run."
    )
