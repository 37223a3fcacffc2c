"""What flows are asked for of images and methods: values, which pydantic checks at the flow's door."""

import hashlib
import re
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Secret, model_validator

from dip.configuration import Configuration, Degradation, Variation
from dip.configuration.configuration import SCALES
from dip.configuration.tables import OPERATORS
from dip.configuration.vocabulary import (
    Damage,
    DataTerm,
    KernelName,
    MaskShape,
    MethodName,
    NetworkName,
    Preset,
    ProtocolName,
    StopRuleName,
    Task,
    Upsampling,
)
from dip.errors import ConfigurationError
from dip.images.naming import EXCLUDED, IMAGE_SUFFIXES
from dip.storage import Location


def _absolute(path: str) -> str:
    """A path that means the same to workers, which may be elsewhere."""
    return str(Path(path).expanduser().absolute())


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError("expected a device auto, cpu, cuda or cuda:N")
    return name


def _suffix(text: str) -> str:
    if not re.fullmatch(r"[\w.+-]*", text):
        raise ValueError("expected letters, digits and . _ + - alone to follow the names of restored images")
    if PurePosixPath(f"a{text}").suffix.lower() in IMAGE_SUFFIXES:
        raise ValueError(
            "expected what precedes a format's own suffix, such as _restored; --format asks for one"
        )
    return text


Url = Annotated[str, Field(min_length=1)]
"""A folder, file or URL; an empty one would be the current folder."""

AbsolutePath = Annotated[Url, AfterValidator(_absolute)]
Device = Annotated[str, AfterValidator(_device)]
Suffix = Annotated[str, Field(max_length=100), AfterValidator(_suffix)]
Seconds = Annotated[float, Field(gt=0, le=10**8)]
"""Of a time limit: three years, and no infinity, which no clock could count down."""

USUAL_SIGMA = 25.0
USUAL_SCALE = 4


class WorkParameters(BaseModel):
    """Where images come from, where what is made of them goes, and who works on them.

    Attributes:
        source: folder or URL of the images; never written to.
        output: folder or URL of the results.
        exclude: patterns of names of files and folders below the source that are left out, beside those that
            systems put there (`EXCLUDED`).
        workers: local worker processes; None for one per GPU, or one per core without a GPU.
        scheduler: address of a Dask scheduler that runs already, instead of local workers.
        storage_options: fsspec options for URLs, such as `{"endpoint_url": …, "key": …, "secret": …}`;
            kept out of records and logs. Environment variables are the better place for credentials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Url
    output: Url
    exclude: tuple[str, ...] = ()
    workers: int | None = Field(None, ge=1)
    scheduler: Url | None = None
    storage_options: Secret[dict[str, Any]] = Field(default_factory=lambda: Secret({}))

    @property
    def left_out(self) -> tuple[str, ...]:
        """All patterns of names that are left out."""
        return (*EXCLUDED, *self.exclude)

    def location(self, url: str) -> Location:
        """A URL with the storage options."""
        return Location(url, self.storage_options.get_secret_value())

    @model_validator(mode="after")
    def _workers_are_started_or_there(self) -> Self:
        if self.workers is not None and self.scheduler is not None:
            raise ValueError(
                "Expected either a number of local workers (--workers) or a scheduler (--scheduler); got both"
            )
        return self


class MethodParameters(WorkParameters):
    """How images are restored.

    Attributes:
        task: what is wrong with the images.
        method: `dip`, or what it is compared to.
        preset: `auto`, or `fast`, or `paper` and its variants for the published settings.
        seed: results depend on it, the images and the configuration alone.
        restarts: fits from different seeds whose images are averaged.
        scale: scale factor of a super-resolution; None for 4.
        kernel: downsampling kernel of a super-resolution; None for the protocol's.
        max_iterations: the limit of iterations per image, in place of the preset's.
        tile_px: longest side of the tiles of larger images; None for as large as memory allows.
        network: a parameterization in place of the preset's.
        width: channels of the network, in place of the preset's.
        depth: how often the network halves the resolution, or its blocks, in place of the preset's.
        upsampling: of the network, in place of the preset's.
        dropout: share of the features that the network leaves out at random, in place of the preset's.
        input_channels: of the network's input, in place of the preset's.
        input_noise: deviation of the noise on it, in place of the preset's.
        learning_rate: in place of the preset's.
        data_term: `squared`, `huber` or `l1`.
        tv: weight of total variation.
        stop: stop rule, in place of the preset's.
        noise_level: σ of the noise in 8-bit units, for the stop rule `noise-level`.
        weights: file of a trained network, for the method `trained`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """

    task: Task
    method: MethodName = "dip"
    preset: Preset = "auto"
    seed: int = Field(0, ge=0, lt=2**63)
    restarts: int = Field(1, ge=1)
    scale: int | None = Field(None, ge=SCALES.start, lt=SCALES.stop)
    kernel: KernelName | None = None
    max_iterations: int | None = Field(None, ge=1)
    tile_px: int | None = Field(None, ge=128)
    network: NetworkName | None = None
    width: int | None = None
    depth: int | None = None
    upsampling: Upsampling | None = None
    dropout: float | None = None
    input_channels: int | None = None
    input_noise: float | None = None
    learning_rate: float | None = None
    data_term: DataTerm | None = None
    tv: float | None = None
    stop: StopRuleName | None = None
    noise_level: float | None = None
    weights: AbsolutePath | None = None
    device: Device = "auto"

    def _configuration(
        self, damage: Damage, protocol: ProtocolName | None, degradation: Degradation | None
    ) -> Configuration:
        variation = Variation(**{field.name: getattr(self, field.name) for field in fields(Variation)})
        return Configuration(
            task=self.task,
            method=self.method,
            preset=self.preset,
            variation=variation,
            seed=self.seed,
            restarts=self.restarts,
            scale=self.scale or USUAL_SCALE,
            kernel=self.kernel,
            max_iterations=self.max_iterations,
            tile_px=self.tile_px,
            weights=self.weights,
            weights_sha256=None if self.weights is None else _sha256_of(self.weights),
            damage=damage,
            protocol=protocol,
            degradation=degradation,
        )

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


class ReferenceParameters(MethodParameters):
    """How references are damaged first, and results evaluated.

    Attributes:
        protocol: how it is done; None for the task's usual one.
        sigma: Gaussian noise, in 8-bit units; 25 if a denoising is asked for no noise.
        poisson: shot noise of so many photons per pixel at full brightness.
        impulse: share of values replaced by black or white.
        jpeg: quality of a JPEG compression.
        missing: share of missing pixels, for inpainting.
        mask: a shape that hides pixels instead, for inpainting.
    """

    protocol: ProtocolName | None = None
    sigma: float | None = None
    poisson: float | None = None
    impulse: float | None = None
    jpeg: int | None = None
    missing: float | None = None
    mask: MaskShape | None = None

    @property
    def configuration(self) -> Configuration:
        """What decides the results."""
        degradation = Degradation(self.poisson, self.sigma, self.impulse, self.jpeg, self.missing, self.mask)
        if OPERATORS[self.task].denoises and not degradation.is_noisy:
            degradation = replace(degradation, sigma=USUAL_SIGMA)
        return self._configuration("white", self.protocol, degradation)
