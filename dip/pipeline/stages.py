"""One image, page by page, through the five stages: read → degrade → restore → evaluate → write.

`process` is what a worker runs. It never raises for what is wrong with one image: that becomes a row.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from dip.errors import DeviceLostError, ImageSkipped, OutputError
from dip.images.image import PageNumber
from dip.optimize.curve import CurvePoint
from dip.pipeline.job import Job, Outcome, new_row
from dip.pipeline.page import PageStages
from dip.pipeline.reading import Files
from dip.pipeline.writing import Writer
from dip.storage.pages import tell_of_pages
from dip.storage.results import Row, encode_record


@dataclass
class _Stages:
    """A job under way: its row fills up as the stages go by."""

    job: Job
    row: Row
    progress: Callable[[float], None] | None = None
    curve: tuple[CurvePoint, ...] = ()
    at: PageNumber | None = None
    """The page that is worked on, of several."""

    def run(self) -> None:
        """All stages. Of several pages all are checked before the first is restored."""
        pages = self.pages()
        if len(pages) > 1:
            self.check(pages)
        encoded = [
            page.restored() if page.left is None else page.as_it_was() for page in self.one_by_one(pages)
        ]
        self.curve = next((page.curve for page in pages if page.curve), ())
        self.tell_of(pages)
        Writer(self.job, self.row).write(encoded)

    def look(self) -> None:
        """Find out what reading tells, and keep nothing else."""
        pages = self.pages()
        self.check(pages)
        self.tell_of(pages)

    def check(self, pages: Sequence[PageStages]) -> None:
        """Read each page, without keeping it.

        Raises:
            ImageSkipped: none needs to be restored.
        """
        for page in self.one_by_one(pages):
            page.check()
        reasons = [page.left for page in pages if page.left is not None]
        if len(reasons) == len(pages):
            raise reasons[0]

    def pages(self) -> list[PageStages]:
        """The pages of the image; a single one fills the image's own row."""
        files = Files(self.job)
        self.row.source_sha256 = hashlib.sha256(files.content).hexdigest()
        count = len(files.pages)
        rows = [self.row] if count == 1 else [replace(self.row) for _ in range(count)]
        return [
            PageStages(self.job, row, files, PageNumber(number, count), self.progress)
            for number, row in enumerate(rows)
        ]

    def one_by_one(self, pages: Sequence[PageStages]) -> Iterator[PageStages]:
        """The pages; what goes wrong with one of several is told with its number."""
        for page in pages:
            self.at = page.page if len(pages) > 1 else None
            yield page
        self.at = None

    def tell_of(self, pages: Sequence[PageStages]) -> None:
        """Have the row tell of several pages."""
        if len(pages) > 1:
            tell_of_pages(self.row, [page.row for page in pages])

    def attempt(self, work: Callable[[], object]) -> None:
        """Do some or all of the stages; the row tells what became of it."""
        try:
            work()
            self.row.status = "restored"
        except ImageSkipped as reason:
            self.row.status = "skipped"
            self.blame(reason)
        except OutputError:  # not this image's fault, and the same for the next
            raise
        except torch.AcceleratorError as error:
            raise DeviceLostError(
                f"Expected a GPU that answers; it failed for good in this process ({error})."
            ) from error
        except Exception as error:  # noqa: BLE001 - whatever fails in one image is a row, and the batch goes on
            self.blame(error)

    def blame(self, error: BaseException) -> None:
        """Record what kept the image from being restored, and on which of several pages."""
        self.row.blame(error)
        if self.at is not None:
            self.row.error_message = f"{self.at}: {self.row.error_message}"


def inspect(job: Job) -> Row:
    """What would become of an image, as far as reading it and its mask tells. Nothing is written.

    Returns:
        A row with the status `restored`, `failed` or `skipped`, and with the size that was read.
    """
    stages = _Stages(job, new_row(job))
    stages.attempt(stages.look)
    return stages.row


def process(job: Job, progress: Callable[[float], None] | None = None) -> Outcome:
    """Take one image through the five stages and write its record.

    Args:
        job: the image.
        progress: a callback that takes the share of the restoration that is done, now and then.

    Raises:
        StorageError: the record could not be written, so that the image counts as not done.
        DeviceLostError: the GPU failed; this process cannot use it any more.
    """
    stages = _Stages(job, new_row(job), progress)
    start = time.perf_counter()
    stages.attempt(stages.run)
    stages.row.seconds = time.perf_counter() - start
    job.output.write(job.record, encode_record(stages.row, stages.curve))
    return Outcome(job.image_id, stages.row.status, stages.row.error_message)
