"""The flow that proposes masks of damage, for a person to look through."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prefect import flow

from dip.configuration import Configuration
from dip.errors import ConfigurationError
from dip.pipeline.job import Job
from dip.pipeline.proposed_masks import MaskOutcome
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

ROWS = "masks.csv"
"""A row an image: what became of it, the share of its pixels that is marked, and the number of pieces."""


@dataclass(frozen=True)
class MasksSummary:
    """What became of the images.

    Attributes:
        output: where masks and overlays are.
        proposed: masks that mark something.
        empty: masks of images without visible damage.
        kept: masks that were there.
        failures: images that could not be looked at, or are marked too much, and why.
    """

    output: str
    proposed: int
    empty: int
    kept: int
    failures: tuple[MaskOutcome, ...]


@flow(name="propose-masks")
def propose_masks(asked: MasksParameters) -> MasksSummary:
    """Propose a mask for each image below a folder or URL that has none in the output yet.

    Args:
        asked: where the images are, where masks and overlays go, and the probability that marks a pixel.

    Returns:
        How many were proposed. Below the output, masks lie in `masks/`, overlays in `overlays/`, and
        probabilities in `probability/`; `masks.csv` has a row for each image.

    Raises:
        DipError: they could not be made; the same call goes on.
    """
    retry.have_patience()
    source, output = asked.location(asked.source), asked.location(asked.output)
    check_apart(output, source, "source")
    with locked(output, take_over=False) as lock, retry.given_up_if_interrupted():
        _check_own(output, source)
        entries = list_images(source, None, asked.left_out, asked.infrared_suffixes)
        output.write(_RECORD, _name_of(source))
        outcomes = _carried_out(_jobs(entries, source, output, asked), asked, lock)
        output.write(ROWS, _rows_of(outcomes))
    proposed, empty, kept = (
        sum(outcome.status == status for outcome in outcomes) for status in ("proposed", "empty", "kept")
    )
    failures = tuple(outcome for outcome in outcomes if outcome.status == "failed")
    return MasksSummary(asked.output, proposed, empty, kept, failures)


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


def _jobs(entries: Sequence[Entry], source: Location, output: Location, asked: MasksParameters) -> list[Job]:
    of_each = Job(
        "masks",
        "",
        source,
        output,
        "",
        Configuration("inpaint"),
        masks=source,
        infrared=asked.infrared,
        mask_threshold=asked.least_probability,
    )
    return [replace(of_each, image_id=entry.image_id, mask_id=entry.mask_id) for entry in entries]


def _carried_out(jobs: list[Job], asked: MasksParameters, lock: Lock) -> list[MaskOutcome]:
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


def _rows_of(outcomes: Sequence[MaskOutcome]) -> bytes:
    """A table for spreadsheets, in the order of the images' names."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("image_id", "status", "masked_share", "pieces", "message"))
    for outcome in sorted(outcomes, key=lambda outcome: outcome.image_id):
        share = "" if outcome.share is None else f"{outcome.share:.6f}"
        rows.writerow((outcome.image_id, outcome.status, share, outcome.pieces, outcome.error_message or ""))
    return table.getvalue().encode(errors="surrogateescape")


def _lost(job: Job, error: BaseException) -> MaskOutcome:
    return MaskOutcome(job.image_id, "failed", str(error))
