"""What a batch is asked for: how its results are written, and which images are taken."""

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import typer
from pydantic import AfterValidator, Field, model_validator

from dip.configuration.vocabulary import USUAL_THRESHOLD, AskedFormat
from flows.parameters.method import MethodParameters, ReferenceParameters, RestorationParameters
from flows.parameters.work import RESULTS, TakeOverOption, WorkParameters

if TYPE_CHECKING:
    from dip.storage import Location

PAYLOAD = "data"
"""Folder of a bag that holds the results."""


def _suffix(text: str) -> str:
    from dip.images.naming import IMAGE_SUFFIXES  # which brings what reads images

    if not re.fullmatch(r"[\w.+-]*", text):
        raise ValueError("expected letters, digits and . _ + - alone to follow the names of restored images")
    if PurePosixPath(f"a{text}").suffix.lower() in IMAGE_SUFFIXES:
        raise ValueError(
            "expected what precedes a format's own suffix, such as _restored; --format asks for one"
        )
    return text


Suffix = Annotated[str, Field(max_length=100), AfterValidator(_suffix)]
LONGEST_S = 10**8
"""Three years, and no infinity, which no clock could count down."""


class BatchParameters(WorkParameters, MethodParameters, frozen=True):
    """What every batch needs.

    Attributes:
        uncertainty: also write the deviation between the restarts.
        file_format: of restored images: `source` for each source's own, or PNG where that would lose
            something; `png`, `tiff`, `jp2` or `jpeg` for all.
        suffix: what follows the names of restored images, before their formats' suffixes.
        overwrite: replace files of others that lie where results go.
        embed: put restored images into the Parquet rows instead of files.
        bag: make the output a BagIt bag.
        time_limit_s: fail an image that takes longer than so many seconds.
        redo_all: on a finished output, restore all images again.
        retry_failed: on a finished output, also take the images that failed.
        retry: file that names images to restore again, on a finished output.
        only: file that names the images to restore; all others of the source are left out.
        report: make the page of the results at the end.
        take_over: work on the output although it is locked by another run, which is dead.
        shard_size: images per shard; one shard is one task run and one part file.
    """

    uncertainty: Annotated[
        bool,
        typer.Option(
            "--uncertainty",
            rich_help_panel=RESULTS,
            help="Also write the deviation between the restarts, as TIFF.",
        ),
    ] = False
    file_format: Annotated[
        AskedFormat,
        typer.Option(
            "--format",
            rich_help_panel=RESULTS,
            help="Of restored images; a JPEG, like all that is read only, becomes a PNG.",
        ),
    ] = "source"
    suffix: Annotated[
        Suffix,
        typer.Option(
            "--suffix",
            metavar="TEXT",
            rich_help_panel=RESULTS,
            help="Follows the names of restored images: a.tif, aTEXT.tif.",
        ),
    ] = ""
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            rich_help_panel=RESULTS,
            help="Replace files of others where results go, instead of refusing to.",
        ),
    ] = False
    embed: Annotated[
        bool,
        typer.Option(
            "--embed",
            rich_help_panel=RESULTS,
            help="Put restored images into the Parquet rows instead of files.",
        ),
    ] = False
    bag: Annotated[
        bool,
        typer.Option(
            "--bag",
            rich_help_panel=RESULTS,
            help="Make OUT a BagIt bag; its payload, OUT/data, holds the results.",
        ),
    ] = False
    time_limit_s: Annotated[
        float | None,
        Field(gt=0, le=LONGEST_S),
        typer.Option(
            "--time-limit",
            metavar="S",
            rich_help_panel=RESULTS,
            help="Fail an image that takes longer, in seconds.",
        ),
    ] = None
    redo_all: Annotated[
        bool,
        typer.Option(
            "--all",
            rich_help_panel=RESULTS,
            help="On a finished output, restore all images again, in a new run.",
        ),
    ] = False
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed", rich_help_panel=RESULTS, help="On a finished output, try again what has failed."
        ),
    ] = False
    retry: Annotated[
        str | None,
        Field(min_length=1),
        typer.Option(
            "--retry",
            metavar="FILE",
            rich_help_panel=RESULTS,
            help="On a finished output, restore what FILE names again.",
        ),
    ] = None
    only: Annotated[
        str | None,
        Field(min_length=1),
        typer.Option(
            "--only",
            metavar="FILE",
            rich_help_panel=RESULTS,
            help="Restore only what FILE names: decisions.csv of a report, a CSV with image_id, one name a "
            "line.",
        ),
    ] = None
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            rich_help_panel=RESULTS,
            help="At the end make a page to look at them, as dip report does.",
        ),
    ] = False
    take_over: TakeOverOption = False
    shard_size: int = Field(500, ge=1)

    @property
    def results(self) -> "Location":
        """Where the results go: into the payload, if the output is to be a bag."""
        output = self.location(self.output)
        return output.below(PAYLOAD) if self.bag else output

    @model_validator(mode="after")
    def _deviation_needs_runs(self) -> Self:
        if self.uncertainty and self.restarts < 2:
            raise ValueError(f"a deviation needs at least two starts (--restarts 2); got {self.restarts}")
        return self

    @model_validator(mode="after")
    def _images_are_named_once(self) -> Self:
        if self.redo_all and self.retry_failed:
            raise ValueError("all images again (--all) are also those that failed (--retry-failed): name one")
        if self.redo_all and self.retry is not None:
            raise ValueError("all images again (--all) are also those of a list (--retry): name one")
        return self


class ArchiveParameters(BatchParameters, RestorationParameters, frozen=True):
    """A restoration of an archive: images in, restored images and metrics out."""


class BenchmarkParameters(BatchParameters, ReferenceParameters, frozen=True):
    """An evaluation: references in, degraded images made, metrics out."""

    masks_location: ClassVar[None] = None
    guides_location: ClassVar[None] = None
    proposes_masks: ClassVar[bool] = False
    least_probability: ClassVar[float] = USUAL_THRESHOLD
    uses_infrared: ClassVar[bool] = False
    infrared_suffixes: ClassVar[tuple[str, ...]] = ()
    infrared_suffix: ClassVar[None] = None
    masks: ClassVar[None] = None
    least_noise: ClassVar[float] = 0.0


Batch = ArchiveParameters | BenchmarkParameters
"""What a run can be asked for."""
