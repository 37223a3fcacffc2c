"""The flow that restores an archive: images as they are, no reference."""

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.batch import SHARDS_AT_ONCE, BatchSummary, run_batches
from flows.parameters import ArchiveParameters


@flow(name="restore-archive", task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE))  # type: ignore[arg-type]
def restore_archive(batch: ArchiveParameters) -> BatchSummary:
    """Restore all images below a folder or URL.

    Args:
        batch: what to restore, how, and where the results go.

    Returns:
        The counts of the run. Rows lie in `metrics/` below the output, images in `images/`.

    Raises:
        DipError: the run could not be started or carried to its end; the same call continues it.
    """
    return run_batches([batch])[0]
