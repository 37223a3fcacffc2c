"""What Dask workers run. Nothing here, or below it, knows Prefect; torch is loaded by workers alone."""

import time
from typing import TYPE_CHECKING

from distributed import get_worker

import dip
from dip.errors import DipError
from dip.job import Job, Outcome

if TYPE_CHECKING:
    from dip.studies.base import Findings, Trial

TELL_EVERY_S = 2.0


def restore_image(job: Job) -> Outcome:
    """One Dask task: one image."""
    from dip.pipeline import process

    return process(job, _Teller(job))


class _Teller:
    """Tells the flow now and then how far an image is."""

    def __init__(self, job: Job) -> None:
        self._job, self._told_at = job, time.monotonic()

    def __call__(self, share: float) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            get_worker().log_event(progress_topic(self._job.run_id), (self._job.image_id, share))


def progress_topic(run_id: str) -> str:
    """What the scheduler calls the messages of a run's workers about their images."""
    return f"dip-progress-{run_id}"


def version_of_worker() -> str:
    """The version of this software on the worker that is asked."""
    return dip.__version__


def run_trial(trial: "Trial") -> "Findings":
    """One Dask task of a study: one variant on one image. What is wrong with it is told, not raised."""
    from dip.studies import study_called
    from dip.studies.base import Findings

    try:
        return study_called(trial.study).run(trial)
    except DipError as error:
        return Findings(trial, error_message=str(error))
