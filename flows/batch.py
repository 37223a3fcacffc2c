"""Batches to their end: shards as Prefect tasks, images as Dask tasks."""

from collections import deque
from collections.abc import Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import quote

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from dip.pipeline.job import Job, Outcome, fail
from dip.storage import Location, retry
from flows.parameters import Batch
from flows.progress import Counter
from flows.runs.accounts import close_run, open_run
from flows.runs.bag import REPORT, close_bag, open_bag
from flows.runs.lock import Lock, locked
from flows.runs.preconditions import check_feasible
from flows.runs.run import Earlier, Run, Shard, shard_label
from flows.workers.cluster import workers
from flows.workers.window import Window
from flows.workers.worker import progress_topic, restore_image

SHARDS_AT_ONCE = 4
SHARDS_SUBMITTED = 16


@dataclass(frozen=True)
class BatchSummary:
    """What became of a run.

    Attributes:
        output: where its results are.
        run_id: None if every image had a result already.
        restored: images restored, before an interruption too; likewise `failed` and `skipped`.
        vanished: images with a result that are not in the source any more.
        failed_earlier: images that failed in an earlier run, and were not tried again.
        left_out: files of the source that are no images, hidden, or excluded.
        report: page that was made of the results, if it was asked for.
    """

    output: str
    run_id: str | None = None
    restored: int = 0
    failed: int = 0
    skipped: int = 0
    vanished: int = 0
    failed_earlier: int = 0
    left_out: int = 0
    report: str | None = None


def run_batches(batches: Sequence[Batch]) -> list[BatchSummary]:
    """Work through batches at the same time, on the workers that the first one asks for.

    Raises:
        DipError: a batch could not be started or carried to its end; what is finished is safe.
    """
    retry.have_patience()
    for parameters in batches:
        check_feasible(parameters)
    with ExitStack() as stack:
        outputs = [(parameters.location(parameters.output), parameters.take_over) for parameters in batches]
        locks = [stack.enter_context(locked(*output)) for output in outputs]
        with retry.given_up_if_interrupted():
            opened = [_opened(parameters) for parameters in batches]
            _restore([run for run, _ in opened if run is not None], batches[0], locks)
            return [_summary(parameters, *each) for parameters, each in zip(batches, opened, strict=True)]


class _Execution:
    """What the shards of all runs share."""

    def __init__(self, runs: Sequence[Run], window: Window[Job, Outcome]) -> None:
        self.window = window
        # One listing per run. A committed shard can have left records behind: its part file counts.
        self.finished: Set[str] = {
            found.name
            for run in runs
            for found in run.output.find(run.records)
            if found.name.endswith(".arrow") and run.shard_of(found.name) not in run.committed
        }
        committed = sum(len(run.images_in(shard)) for run in runs for shard in run.committed)
        self.counter = Counter(sum(run.total for run in runs), committed + len(self.finished))

    def follow(self, event: tuple[float, tuple[str, float]]) -> None:
        """Take what a worker tells of an image it works on: when, and its name and how far it is."""
        _, (image_id, share) = event
        self.counter.advance(image_id, share)


@task(task_run_name="{label}", cache_policy=NO_CACHE, persist_result=False)
def restore_shard(run: Run, index: int, execution: _Execution, label: str) -> None:  # noqa: ARG001 - its name
    """Restore the images of one shard that are open, and commit the shard."""
    try:
        shard = Shard(run, index, execution.finished)
        for outcome in execution.window.run(shard.open_jobs()):
            execution.counter.add(outcome)
        shard.commit()
    except BaseException as error:
        execution.window.abort(error)
        raise


def _opened(parameters: Batch) -> tuple[Run | None, Earlier]:
    run, earlier = open_run(parameters)
    if run is not None and parameters.bag:
        open_bag(parameters.location(parameters.output))
    return run, earlier


def _restore(runs: Sequence[Run], parameters: Batch, locks: Sequence[Lock]) -> None:
    if not any(run.open_shards for run in runs):
        return
    with workers(parameters.scheduler, parameters.workers, parameters.device) as found:
        execution = _Execution(runs, Window(found, restore_image, fail))
        for run in runs:
            found.client.subscribe_topic(progress_topic(run.run_id), execution.follow)
        for lock in locks:
            lock.on_loss(execution.window.abort)
        try:
            _work_through(runs, execution)
        except BaseException as error:
            execution.window.abort(error)
            raise
        if execution.window.error is not None:
            raise execution.window.error


def _work_through(runs: Sequence[Run], execution: _Execution) -> None:
    """Hand the open shards to Prefect, a few ahead of those under way: it holds on to what it is handed."""
    submitted: deque[PrefectFuture[None]] = deque()
    for run, index in [(each, index) for each in runs for index in each.open_shards]:
        submitted.append(restore_shard.submit(run, index, execution, shard_label(run, index)))
        if len(submitted) > SHARDS_SUBMITTED:
            submitted.popleft().wait()
    for future in submitted:
        future.wait()


def _summary(parameters: Batch, run: Run | None, earlier: Earlier) -> BatchSummary:
    counts = {} if run is None else close_run(run)
    output = parameters.location(parameters.output)
    if parameters.bag:
        close_bag(output)
    summary = BatchSummary(
        parameters.output,
        None if run is None else run.run_id,
        **counts,
        vanished=earlier.vanished,
        failed_earlier=earlier.failed,
        left_out=earlier.left_out,
        report=_reported(output) if parameters.report else None,
    )
    if run is not None:
        told = _told(summary, run, _link_to_report(output, summary))
        create_markdown_artifact(told, key="restoration-summary", description=run.run_id)
    return summary


def _reported(output: Location) -> str:
    """The page of an output, made now."""
    from flows.report.build import make_report  # which brings what reads images
    from flows.report.one_output import OutputReport

    return make_report(OutputReport({"": output}), output.below(REPORT), lambda *_: None).url


def _link_to_report(output: Location, summary: BatchSummary) -> str:
    """Where the page of an output lies, or how it is made."""
    makes = f"`dip report {summary.output}`"
    if summary.report is None and not output.exists(f"{REPORT}/index.html"):
        return f"{makes} makes one"
    url = f"{output.below(REPORT).canonical_url}/index.html"
    link = f"[{url}]({quote(url, safe=':/')})"
    return link if summary.report else f"{link}, from before this run; {makes} renews it"


def _told(summary: BatchSummary, run: Run, report: str) -> str:
    job = run.template
    return "\n".join(
        [
            f"# {job.configuration.task}: {summary.restored} of {run.total} images restored",
            "",
            "| | |",
            "|---|---|",
            f"| run | `{run.run_id}` |",
            f"| source | `{job.source.url}` |",
            f"| output | `{job.output.url}` |",
            f"| method | {job.configuration.method} |",
            f"| preset | {job.configuration.preset} |",
            f"| restored | {summary.restored} |",
            f"| failed | {summary.failed} |",
            f"| skipped | {summary.skipped} |",
            f"| report | {report} |",
        ]
    )
