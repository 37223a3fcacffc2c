"""The flow that proposes masks of scratches and dust, for a person to look through."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prefect import flow

from dip.configuration import Configuration
from dip.errors import ConfigurationError
from dip.pipeline.job import Job, Outcome
from dip.pipeline.proposed_masks import mask_name
from dip.storage import Location, retry
from flows.parameters import MasksParameters
from flows.progress import Counter, printable
from flows.runs.inventory import list_images
from flows.runs.lock import Lock, locked
from flows.runs.manifest import Entry
from flows.runs.preconditions import check_apart, check_no_foreign_entries
from flows.workers.cluster import workers
from flows.workers.window import Window
from flows.workers.worker import propose

_RECORD = "source.txt"
"""Says of which source the masks are."""


@dataclass(frozen=True)
class MasksSummary:
    """What became of the images.

    Attributes:
        output: where masks and overlays are.
        proposed: masks that mark something.
        empty: masks of images without visible damage.
        kept: masks that were there.
        failures: images that could not be looked at, and why.
    """

    output: str
    proposed: int
    empty: int
    kept: int
    failures: tuple[Outcome, ...]


@flow(name="propose-masks")
def propose_masks(asked: MasksParameters) -> MasksSummary:
    """Propose a mask for each image below a folder or URL that has none in the output yet.

    Args:
        asked: where the images are, and where masks and overlays go.

    Returns:
        How many were proposed. Masks lie in `masks/` below the output, overlays in `overlays/`.

    Raises:
        DipError: they could not be made; the same call goes on.
    """
    retry.have_patience()
    source, output = asked.location(asked.source), asked.location(asked.output)
    check_apart(output, source, "source")
    with locked(output, take_over=False) as lock, retry.given_up_if_interrupted():
        _check_own(output, source)
        entries = list_images(source, None, asked.left_out, asked.infrared_suffixes)
        jobs = _open_jobs(entries, source, output, asked.infrared)
        output.write(_RECORD, _name_of(source))
        outcomes = _carried_out(jobs, asked, lock)
    count = {status: sum(o.status == status for o in outcomes) for status in ("restored", "skipped")}
    failures = tuple(outcome for outcome in outcomes if outcome.status == "failed")
    kept = len(entries) - len(jobs)
    return MasksSummary(asked.output, count["restored"], count["skipped"], kept, failures)


def _check_own(output: Location, source: Location) -> None:
    """See that an output is new or empty, or holds masks of this source: images of two can share a name."""
    if output.exists(_RECORD):
        recorded = output.read(_RECORD)
        if recorded != _name_of(source):
            raise ConfigurationError(
                f"Expected the source that the masks in {output.url} are of, "
                f"{printable(recorded.decode(errors='replace'))}; got {printable(source.canonical_url)}. "
                "Choose another output."
            )
        return
    check_no_foreign_entries(
        output, (), "new, empty or made by an earlier dip masks", "Choose another output."
    )


def _name_of(source: Location) -> bytes:
    return source.canonical_url.encode(errors="surrogateescape")


def _open_jobs(entries: Sequence[Entry], source: Location, output: Location, by_infrared: bool) -> list[Job]:
    """A mask that is there stays: somebody may have retouched it."""
    there = {found.name for found in output.find("masks")}
    asked = Job("masks", "", source, output, "", Configuration("inpaint"), masks=source, infrared=by_infrared)
    return [
        replace(asked, image_id=entry.image_id, mask_id=entry.mask_id)
        for entry in entries
        if there.isdisjoint([mask_name(entry.image_id), mask_name(entry.image_id, pages=2)])
    ]


def _carried_out(jobs: list[Job], asked: MasksParameters, lock: Lock) -> list[Outcome]:
    if not jobs:
        return []
    outcomes = []
    counter = Counter(len(jobs), 0)
    with workers(asked.scheduler, asked.workers, "cpu") as found:
        window = Window(found, propose, _lost)
        lock.on_loss(window.abort)
        for outcome in window.run(jobs):
            outcomes.append(outcome)
            counter.add(outcome)
    return outcomes


def _lost(job: Job, error: BaseException) -> Outcome:
    return Outcome(job.image_id, "failed", str(error))
