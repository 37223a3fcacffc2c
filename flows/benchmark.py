"""The flow that evaluates restoration on a benchmark: references in, metrics out."""

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.batch import SHARDS_AT_ONCE, BatchSummary, run_batches
from flows.parameters import BenchmarkParameters


@flow(name="evaluate-benchmark", task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE))  # type: ignore[arg-type]
def evaluate_benchmark(batch: BenchmarkParameters) -> BatchSummary:
    """Damage all references below a folder or URL, restore them, and evaluate the restorations.

    Args:
        batch: which references, how they are damaged and restored, and where the results go.

    Returns:
        The counts of the run. Rows lie in `metrics/` below the output, images in `images/`,
        what they were restored from in `degraded/`.

    Raises:
        DipError: the run could not be started or carried to its end; the same call continues it.
    """
    return run_batches([batch])[0]
