"""The futures in flight: as many as the workers have slots, over all shards of a run together."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from distributed import Client, Future
from distributed.client import ClosedClientError
from distributed.scheduler import KilledWorker

from dip.errors import ClusterError, ImageError, StorageError
from dip.job import Job
from dip.studies.base import Trial
from flows.cluster import RESOURCE, Workers, count_slots

POLL_S = 1.0
WITHOUT_WORKERS_S = 120.0
"""So long a run waits for a worker to come (back) before it ends."""


J = TypeVar("J", bound=Job | Trial)
R = TypeVar("R")


class Window(Generic[J, R]):
    """Sends jobs to workers, never more at once than there are slots.

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
        self._alone = 0  # jobs that have, or want, the workers for themselves
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
        for job, future in self._finished(jobs):
            if isinstance(_error(future), KilledWorker):
                killed.append(job)
            else:
                yield self._result(job, future)
        for job, future in self._finished(killed, alone=True):
            yield self._result(job, future)

    def _finished(self, jobs: Iterable[J], alone: bool = False) -> Iterator[tuple[J, Future]]:
        finished: SimpleQueue[tuple[J, Future]] = SimpleQueue()
        under_way = 0
        for job in jobs:
            self._take_slot(alone)
            self._submit(job, finished, alone)
            under_way += 1
            while not finished.empty():
                yield finished.get()
                under_way -= 1
        while under_way:
            try:
                yield finished.get(timeout=POLL_S)
                under_way -= 1
            except Empty:
                self._check()

    def _submit(self, job: J, finished: "SimpleQueue[tuple[J, Future]]", alone: bool) -> None:
        with _scheduler_expected():
            future = self._client.submit(
                self._work, replace(job, device=self._device), resources={RESOURCE: 1}, pure=False
            )

        def when_done(future: Future) -> None:
            with self._condition:
                self._in_flight -= 1
                self._alone -= alone
                self._condition.notify_all()
            finished.put((job, future))

        future.add_done_callback(when_done)

    def _result(self, job: J, future: Future) -> R:
        error = _error(future)
        if error is None:
            with _scheduler_expected():
                result: R = future.result()
            return result
        if isinstance(error, StorageError):
            raise error
        if isinstance(error, KilledWorker):
            error = ImageError(
                "Expected a restoration; its worker process died each time it was tried, alone in the end "
                f"({job.image_id}). Perhaps the image is too large for the machine's memory, or hung beyond "
                "its time limit."
            )
        return self._lost(job, error)

    def _take_slot(self, alone: bool) -> None:
        with self._condition:
            self._alone += alone
        while True:
            self._check()
            with self._condition:
                if self._is_free(alone):
                    self._in_flight += 1
                    return
                self._condition.wait(POLL_S)

    def _is_free(self, alone: bool) -> bool:
        if alone:
            return self._in_flight == 0 and self._slots > 0
        return self._in_flight < self._slots and not self._alone

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


def _error(future: Future) -> BaseException | None:
    """What a future failed with.

    Raises:
        ClusterError: it neither ended nor failed: its scheduler is gone.
    """
    if future.status in ("cancelled", "lost"):
        raise ClusterError(_continue_later("the Dask scheduler was lost"))
    error: BaseException | None = future.exception()
    return error


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
