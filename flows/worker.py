"""What Dask workers run. Nothing here, or below it, knows Prefect; torch is loaded by workers alone."""

import dip
from dip.job import Job, Outcome


def restore_image(job: Job) -> Outcome:
    """One Dask task: one image."""
    from dip.pipeline import process

    return process(job)


def version_of_worker() -> str:
    """The version of this software on the worker that is asked."""
    return dip.__version__
