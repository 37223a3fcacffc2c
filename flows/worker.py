"""What Dask workers run. Nothing here, or below it, knows Prefect; torch is loaded by workers alone."""

from typing import TYPE_CHECKING

import dip
from dip.errors import DipError
from dip.job import Job, Outcome

if TYPE_CHECKING:
    from dip.studies.base import Findings, Trial


def restore_image(job: Job) -> Outcome:
    """One Dask task: one image."""
    from dip.pipeline import process

    return process(job)


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
