"""What a worker is told of one image, and what it tells in return. Importing it brings no torch."""

from dataclasses import dataclass
from datetime import UTC, datetime

import dip
from dip.configuration import Configuration
from dip.configuration.vocabulary import USUAL_THRESHOLD, AskedFormat
from dip.storage import Location
from dip.storage.results import Row, encode_record


@dataclass(frozen=True)
class Job:
    """One image to restore, and where everything about it lies.

    Attributes:
        image_id: path of the image below `source`.
        source_version: of its file, as storage tells it, if a listing was made.
        mask_id: path of its mask below `masks`, or None.
        mask_version: of its mask's file, likewise.
        proposes_masks: whether a mask is proposed instead.
        mask_threshold: probability of damage from which a proposal marks a pixel.
        infrared: whether it is proposed by the infrared channel. A file of that beside the image takes the
            place of a mask's.
        guides: where a second image of the same scene lies, at the path `image_id`, if there are such.
        record: name below `output` of the image's own record, written last.
        embed: whether the restored image goes into the record instead of a file.
        uncertainty: whether the deviation between several restarts is written, too.
        file_format: of the restored image: `source` for that of the image, or one for all.
        suffix: what follows the name of the restored image, before its format's suffix.
        overwrite: whether a file of somebody else's is replaced that lies where the restored image goes.
        noise_floor: σ in 8-bit units; an image with less noise is not denoised, but skipped.
        time_limit_s: an image that takes longer fails; None for any time.
        device: `auto`, `cpu`, `cuda` or `cuda:n`, on the machine that runs the job.
    """

    run_id: str
    image_id: str
    source: Location
    output: Location
    record: str
    configuration: Configuration
    source_version: str | None = None
    masks: Location | None = None
    mask_id: str | None = None
    mask_version: str | None = None
    proposes_masks: bool = False
    mask_threshold: float = USUAL_THRESHOLD
    infrared: bool = False
    guides: Location | None = None
    embed: bool = False
    uncertainty: bool = False
    file_format: AskedFormat = "source"
    suffix: str = ""
    overwrite: bool = False
    noise_floor: float = 0.0
    time_limit_s: float | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Outcome:
    """What is worth telling at once of a finished job; the rest is in its record."""

    image_id: str
    status: str
    error_message: str | None = None


def new_row(job: Job) -> Row:
    """The row of a job that has only begun."""
    from dip.methods.canonical import config_hash  # which brings torch
    from dip.methods.presets import effective_preset

    configuration = job.configuration
    return Row(
        run_id=job.run_id,
        image_id=job.image_id,
        source_url=job.source.url_of(job.image_id),
        source_version=job.source_version,
        mask_version=job.mask_version,
        task=configuration.task,
        method=configuration.method,
        preset=effective_preset(configuration),
        config_hash=config_hash(configuration),
        seed=configuration.seed,
        software_version=dip.__version__,
        started_at=datetime.now(UTC),
        variation=configuration.variation_text or None,
        degradation=configuration.damage_text if configuration.degradation else None,
    )


def fail(job: Job, error: BaseException) -> Outcome:
    """Write the record of a job that no worker could finish.

    Raises:
        StorageError: the record could not be written.
    """
    row = new_row(job)
    row.blame(error)
    job.output.write(job.record, encode_record(row))
    return Outcome(job.image_id, row.status, row.error_message)
