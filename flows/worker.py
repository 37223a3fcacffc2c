"""What Dask workers run. Nothing here, or below it, knows Prefect."""

import dip
from dip.pipeline import Job, Outcome, process


def restore_image(job: Job) -> Outcome:
    """One Dask task: one image."""
    return process(job)


def version_of_worker() -> str:
    """The version of this software on the worker that is asked."""
    return dip.__version__
