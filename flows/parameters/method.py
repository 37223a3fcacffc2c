"""How images are restored and references damaged: what the engine is asked for, put together."""

import hashlib
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, TypeVar

import typer
from pydantic import AfterValidator, Field, field_validator, model_validator

from dip.configuration import Configuration, Degradation, Procedure, Variation
from dip.configuration.configuration import USUAL_SCALE
from dip.configuration.registry import METHODS, OPERATORS
from dip.configuration.vocabulary import USUAL_THRESHOLD, Damage, ProtocolName
from dip.errors import ConfigurationError
from flows.parameters.infrared import BY_INFRARED, InfraredParameters
from flows.parameters.work import WORK, MaskThreshold, SourceParameters

if TYPE_CHECKING:
    from dip.storage import Location

Value = TypeVar("Value", Procedure, Variation, Degradation)

PROPOSED = "auto"
"""In place of where masks are. A folder of that name is `./auto`."""

USUAL_SIGMA = 25.0


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError("expected a device auto, cpu, cuda or cuda:N")
    return name


Device = Annotated[str, AfterValidator(_device)]


class MethodParameters(SourceParameters, Variation, Procedure, frozen=True):
    """How images are restored: the fields of a procedure and of what departs from its preset.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """

    device: Annotated[
        Device, typer.Option("--device", rich_help_panel=WORK, help="auto, cpu, cuda or cuda:N.")
    ] = "auto"

    def part(self, kind: type[Value]) -> Value:
        """Those fields that are inherited from one of the engine's values, as that value.

        Raises:
            ConfigurationError: one of them is out of range.
        """
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})

    def _configuration(
        self, damage: Damage, protocol: ProtocolName | None, degradation: Degradation | None
    ) -> Configuration:
        procedure = vars(self.part(Procedure)) | {"scale": self.scale or USUAL_SCALE}
        return Configuration(
            **procedure,
            variation=self.part(Variation),
            weights_sha256=None if self.weights is None else _sha256_of(self.weights),
            start_sha256=None if self.start is None else _sha256_of(self.start),
            damage=damage,
            protocol=protocol,
            degradation=degradation,
        )

    @field_validator("weights", "start")
    @classmethod
    def _networks_are_found_by_workers(cls, path: str | None) -> str | None:
        """A path that means the same to workers, which may be elsewhere."""
        if path == "":
            raise ValueError("expected the file of a network")
        return None if path is None else str(Path(path).expanduser().absolute())

    @model_validator(mode="after")
    def _values_are_in_range(self) -> Self:
        try:
            self.part(Procedure)
            self.part(Variation)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self

    @model_validator(mode="after")
    def _scale_goes_with_super_resolution(self) -> Self:
        if self.scale is not None and not OPERATORS[self.task].shrinks:
            raise ValueError(f"a scale factor goes with a super-resolution, not with the task {self.task}")
        return self


def _sha256_of(weights: str) -> str:
    """Of a network's file: with other weights a run is another run."""
    try:
        return hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigurationError(
            f"Expected the file of a network; {weights} cannot be read: {error}."
        ) from error


class RestorationParameters(MethodParameters, InfraredParameters, frozen=True):
    """A restoration of images as they are.

    Attributes:
        masks: folder or URL of masks, at the same relative paths as the images and of their size; `auto`
            for those that are proposed, `infrared` for those by infrared channels. The task `restore`
            proposes them where none are named.
        mask_threshold: probability of damage from which a proposed mask marks a pixel; None for the usual.
        guides: folder or URL of second images of the same scenes, at the same relative paths as the images
            and of their size, for a preset whose network draws from them.
        damage: the mask value that marks what is to be repaired.
        grain_fill: whether fills get grain like that of their surroundings; None for yes, where a network
            fills.
        noise_floor: σ in 8-bit units; an image with less noise is not denoised, but skipped; None for
            `SKIP_BELOW`.
    """

    masks: Annotated[
        str | None,
        Field(min_length=1),
        typer.Option("--masks", metavar="URL", help="Folder or URL of masks, mirroring SRC; auto; infrared."),
    ] = None
    mask_threshold: MaskThreshold = None
    guides: Annotated[
        str | None,
        Field(min_length=1),
        typer.Option(
            "--guides", metavar="URL", help="Folder or URL of second images, mirroring SRC, for paper-flash."
        ),
    ] = None
    damage: Annotated[Damage, typer.Option("--damage", help="The mask value that marks what to repair.")] = (
        "white"
    )
    grain_fill: Annotated[
        bool | None,
        typer.Option(
            "--grain-fill/--no-grain-fill",
            help="Give fills grain like that of their surroundings, or leave them smooth.",
        ),
    ] = None
    noise_floor: Annotated[
        float | None,
        Field(ge=0, allow_inf_nan=False),
        typer.Option(
            "--noise-floor",
            metavar="σ",
            min=0,
            help="Skip images with less noise than this, in 8-bit units, else 0.5.",
        ),
    ] = None

    @property
    def least_noise(self) -> float:
        """The noise floor, or the usual one."""
        from dip.images.noise import SKIP_BELOW  # which brings what reads images

        return SKIP_BELOW if self.noise_floor is None else self.noise_floor

    @property
    def least_probability(self) -> float:
        """The threshold of proposed masks, or the usual one."""
        return USUAL_THRESHOLD if self.mask_threshold is None else self.mask_threshold

    @property
    def masks_location(self) -> "Location | None":
        """Where the masks are, if there are any."""
        return None if self.masks is None or self.proposes_masks else self.location(self.masks)

    @property
    def guides_location(self) -> "Location | None":
        """Where the guides are, if there are any."""
        return None if self.guides is None else self.location(self.guides)

    @property
    def proposes_masks(self) -> bool:
        """Whether masks are proposed in place of being read."""
        proposed = self.masks is None and OPERATORS[self.task].proposes
        return proposed or self.masks in (PROPOSED, BY_INFRARED)

    @property
    def uses_infrared(self) -> bool:
        """Whether they are proposed by infrared channels."""
        return self.masks == BY_INFRARED

    @model_validator(mode="after")
    def _masks_belong_to_inpainting(self) -> Self:
        if OPERATORS[self.task].repairs and self.masks is None and not self.proposes_masks:
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
        if self.mask_threshold is not None and (self.uses_infrared or not self.proposes_masks):
            raise ValueError(
                "a threshold (--mask-threshold) goes with masks that are proposed (--masks auto)"
            )
        if self.grain_fill is not None and not OPERATORS[self.task].repairs:
            raise ValueError(
                f"grain goes into fills (--grain-fill), which the task {self.task} makes none of"
            )
        if self.infrared_suffix is not None and not self.uses_infrared:
            raise ValueError("--infrared-suffix is of use with --masks infrared alone")
        if self.noise_floor is not None and not OPERATORS[self.task].denoises:
            raise ValueError(f"a noise floor goes with denoising, not with the task {self.task}")
        return self

    @property
    def configuration(self) -> Configuration:
        """What decides the results."""
        made = self._configuration(self.damage, None, None)
        return replace(made, grain_fill=self.grain_fill is not False)


class ReferenceParameters(MethodParameters, Degradation, frozen=True):
    """How references are damaged first, and results evaluated: the fields of a degradation, too.

    A denoising that is asked for no noise gets Gaussian noise of σ = 25.

    Attributes:
        protocol: how it is done; None for the task's usual one.
    """

    protocol: Annotated[
        ProtocolName | None,
        typer.Option("--protocol", help="How it is done, else the task's usual one."),
    ] = None

    @property
    def configuration(self) -> Configuration:
        """What decides the results."""
        degradation = self.part(Degradation)
        if OPERATORS[self.task].denoises and not degradation.is_noisy:
            degradation = replace(degradation, sigma=USUAL_SIGMA)
        return self._configuration("white", self.protocol, degradation)


class PlanParameters(RestorationParameters, frozen=True):
    """A look at what a restoration would do.

    Attributes:
        lists_left_out: whether the files that are left out are listed, not only counted.
    """

    lists_left_out: Annotated[bool, typer.Option("--left-out", help="List the files that are left out.")] = (
        False
    )
