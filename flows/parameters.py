"""What a run is asked for. These values cross the flow boundary, so that they are pydantic."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from dip.configuration import Configuration
from dip.configuration.tables import METHODS, OPERATORS
from dip.configuration.vocabulary import AskedFormat, Damage
from dip.images.noise import SKIP_BELOW
from dip.storage import Location
from flows.method_parameters import MethodParameters, ReferenceParameters, Seconds, Suffix, Url

PAYLOAD = "data"
"""Folder of a bag that holds the results."""

PROPOSED = "auto"
"""In place of where masks are. A folder of that name is `./auto`."""


class BatchParameters(MethodParameters):
    """What every batch needs.

    Attributes:
        uncertainty: also write the deviation between the restarts.
        file_format: of restored images: `source` for each source's own, or PNG where that would lose
            something; `png`, `tiff`, `jp2` or `jpeg` for all.
        suffix: what follows the names of restored images, before their formats' suffixes.
        overwrite: replace files of others that lie where results go.
        time_limit_s: fail an image that takes longer than so many seconds.
        embed: put restored images into the Parquet rows instead of files.
        bag: make the output a BagIt bag.
        redo_all: on a finished output, restore all images again.
        retry_failed: on a finished output, also take the images that failed.
        retry: file that names images to restore again, on a finished output.
        only: file that names the images to restore; all others of the source are left out.
        take_over: work on the output although it is locked by another run, which is dead.
        shard_size: images per shard; one shard is one task run and one part file.
    """

    uncertainty: bool = False
    file_format: AskedFormat = "source"
    suffix: Suffix = ""
    overwrite: bool = False
    time_limit_s: Seconds | None = None
    embed: bool = False
    bag: bool = False
    redo_all: bool = False
    retry_failed: bool = False
    retry: Url | None = None
    only: Url | None = None
    take_over: bool = False
    shard_size: int = Field(500, ge=1)

    @property
    def results(self) -> Location:
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


class ArchiveParameters(BatchParameters):
    """A restoration of images as they are.

    Attributes:
        masks: folder or URL of masks, at the same relative paths as the images and of their size; `auto`
            for those that `propose_damage` proposes.
        guides: folder or URL of second images of the same scenes, at the same relative paths as the images
            and of their size, for a preset whose network draws from them.
        damage: the mask value that marks what is to be repaired.
        noise_floor: σ in 8-bit units; an image with less noise is not denoised, but skipped; None for
            `SKIP_BELOW`.
    """

    masks: Url | None = None
    guides: Url | None = None
    damage: Damage = "white"
    noise_floor: float | None = Field(None, ge=0, allow_inf_nan=False)

    @property
    def least_noise(self) -> float:
        """The noise floor, or the usual one."""
        return SKIP_BELOW if self.noise_floor is None else self.noise_floor

    @property
    def masks_location(self) -> Location | None:
        """Where the masks are, if there are any."""
        return None if self.masks is None or self.proposes_masks else self.location(self.masks)

    @property
    def guides_location(self) -> Location | None:
        """Where the guides are, if there are any."""
        return None if self.guides is None else self.location(self.guides)

    @property
    def proposes_masks(self) -> bool:
        """Whether masks are proposed in place of being read."""
        return self.masks == PROPOSED

    @model_validator(mode="after")
    def _masks_belong_to_inpainting(self) -> Self:
        if OPERATORS[self.task].repairs and self.masks is None:
            raise ValueError("inpainting needs masks that say what to repair (--masks)")
        if self.task == "denoise" and self.masks is not None:
            raise ValueError("masks go with inpainting and super-resolution, not with the task denoise")
        if self.masks is not None and not METHODS[self.method].takes_masks:
            raise ValueError(f"the method {self.method} cannot be told which pixels are missing (--masks)")
        return self

    @model_validator(mode="after")
    def _there_is_a_use_for_it(self) -> Self:
        if self.damage != "white" and self.masks_location is None:
            raise ValueError(f"there are no masks in which {self.damage} could mean damage (--masks)")
        if self.noise_floor is not None and not OPERATORS[self.task].denoises:
            raise ValueError(f"a noise floor goes with denoising, not with the task {self.task}")
        return self

    @property
    def configuration(self) -> Configuration:
        """What decides the results."""
        return self._configuration(self.damage, None, None)


class BenchmarkParameters(BatchParameters, ReferenceParameters):
    """An evaluation: references in, degraded images made, metrics out."""

    masks_location: ClassVar[None] = None
    guides_location: ClassVar[None] = None
    proposes_masks: ClassVar[bool] = False
    least_noise: ClassVar[float] = 0.0


Batch = ArchiveParameters | BenchmarkParameters
"""What a run can be asked for."""
