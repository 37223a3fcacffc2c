"""What Dask workers run. Nothing here, or below it, knows Prefect; torch is loaded by workers alone."""

import faulthandler
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from distributed import get_worker

import dip
from dip.errors import ConfigurationError, DeviceLostError, DipError, ImageTimeoutError, StorageError
from dip.pipeline.job import Job, Outcome
from dip.storage import retry

if TYPE_CHECKING:
    from dip.evaluation.studies.base import Findings, Trial
    from dip.pipeline.proposed_masks import MaskOutcome

REPORT_EVERY_S = 2.0
HUNG_AFTER_S = 60.0
"""So long after its time limit an image counts as hung."""
TAKES_ON_FOR_S = 0.2
"""So long a worker begins with further jobs of a bundle."""

J = TypeVar("J")
R = TypeVar("R")


def in_turn(work: Callable[[J], R], jobs: Sequence[J]) -> list[R]:
    """One Dask task: the first of some jobs, and those after it as long as all of them are short.

    The results are those of the first jobs; the others come back. So does one that fails behind others: a
    failure is always the first job's.

    Raises:
        Exception: the first job failed.
        StorageError: a job met storage that fails for all.
    """
    retry.have_patience(reached=True)  # the flow has listed the source, and locked the output
    results: list[R] = []
    start = time.monotonic()
    for job in jobs:
        try:
            results.append(work(job))
        except Exception as error:
            if not results or isinstance(error, StorageError):
                raise
            break
        if time.monotonic() - start > TAKES_ON_FOR_S:
            break
    return results


def restore_image(job: Job) -> Outcome:
    """The work on one image."""
    from dip.pipeline.stages import process

    with _ended_if_it_hangs(job.time_limit_s):
        try:
            return process(job, _ProgressOfImage(job))
        except DeviceLostError as error:
            logging.getLogger(__name__).error("%s It ends, for its nanny to start another.", error)
            os._exit(1)


@contextmanager
def _ended_if_it_hangs(time_limit_s: float | None) -> Iterator[None]:
    """End the process, for its nanny to start another, if not even an iteration comes to its end in time."""
    if time_limit_s is None:
        yield
        return
    faulthandler.dump_traceback_later(time_limit_s + HUNG_AFTER_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class _ProgressOfImage:
    """The progress callback of one image: reports to the flow now and then, and ends what takes too long."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._began_at = self._reported_at = time.monotonic()

    def __call__(self, share: float) -> None:
        job, now = self._job, time.monotonic()
        if job.time_limit_s is not None and now - self._began_at > job.time_limit_s:
            raise ImageTimeoutError(
                f"Expected a restoration within {job.time_limit_s:g} s; {share:.1%} of it was done by then "
                f"({job.image_id}). Use a longer --time-limit, or fewer iterations."
            )
        if now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            get_worker().log_event(progress_topic(job.run_id), (job.image_id, share))


def progress_topic(run_id: str) -> str:
    """What the scheduler calls the messages of a run's workers about their images."""
    return f"dip-progress-{run_id}"


def propose(job: Job) -> "MaskOutcome":
    """The proposed mask of one image."""
    from dip.pipeline.proposed_masks import propose_mask

    return propose_mask(job)


def fitness_of_worker(device: str) -> tuple[str, str]:
    """The version of this software on the worker that is asked, and what is wrong with a device there."""
    if not device.startswith("cuda"):
        return dip.__version__, ""
    from dip.optimize.device import resolve_device

    try:
        resolve_device(device)
    except ConfigurationError as error:
        return dip.__version__, str(error)
    return dip.__version__, ""


def run_trial(trial: "Trial") -> "Findings":
    """One variant of a study on one image. What is wrong with it is told, not raised."""
    from dip.evaluation.studies import study_called
    from dip.evaluation.studies.base import Findings

    try:
        return study_called(trial.study).run(trial)
    except DipError as error:
        return Findings(trial, error_message=str(error))
