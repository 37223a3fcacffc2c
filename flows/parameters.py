"""What a flow run is asked for. These values cross the flow boundary, so that they are pydantic."""

import hashlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, Secret, model_validator

from dip.config import SCALES, Configuration, Variation
from dip.degradations import Degradation
from dip.errors import ConfigurationError
from dip.methods import METHODS
from dip.noise import SKIP_BELOW
from dip.operators import OPERATORS
from dip.storage import Location
from dip.vocabulary import (
    AskedFormat,
    Damage,
    DataTerm,
    Kernel,
    MaskShape,
    Method,
    Network,
    Preset,
    ProtocolName,
    StopRuleName,
    Task,
    Upsampling,
)
from flows.bag import PAYLOAD
from flows.values import AbsolutePath, Device, Seconds, Suffix, Url

USUAL_SIGMA = 25.0
USUAL_SCALE = 4
PROPOSED = "auto"
"""In place of where masks are. A folder of that name is `./auto`."""


class WorkParameters(BaseModel):
    """Where images come from, where what is made of them goes, and who works on them.

    Attributes:
        source: folder or URL of the images; never written to.
        output: folder or URL of the results.
        workers: local worker processes; None for one per GPU, or one per core without a GPU.
        scheduler: address of a Dask scheduler that runs already, instead of local workers.
        storage_options: fsspec options for URLs, such as `{"endpoint_url": …, "key": …, "secret": …}`;
            kept out of records and logs. Environment variables are the better place for credentials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Url
    output: Url
    workers: int | None = Field(None, ge=1)
    scheduler: Url | None = None
    storage_options: Secret[dict[str, Any]] = Field(default_factory=lambda: Secret({}))

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


class BatchParameters(WorkParameters):
    """What every batch needs.

    Attributes:
        task: what is wrong with the images.
        method: `dip`, or what it is compared to.
        preset: `auto`, or `fast`, or `paper` and its variants for the published settings.
        seed: results depend on it, the images and the configuration alone.
        runs: restorations from different seeds that are averaged.
        uncertainty: also write the deviation between the runs.
        scale: scale factor of a super-resolution; None for 4.
        kernel: downsampling kernel of a super-resolution; None for the protocol's.
        max_iterations: the limit of iterations per image, in place of the preset's.
        tile_px: side of the tiles that a larger image is restored in; None for as large as memory allows.
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
        file_format: of restored images: `source` for each source's own, or PNG where that would lose
            something; `png`, `tiff`, `jp2` or `jpeg` for all.
        suffix: what follows the names of restored images, before their formats' suffixes.
        overwrite: replace files of others that lie where results go.
        time_limit_s: fail an image that takes longer than so many seconds.
        embed: put restored images into the Parquet rows instead of files.
        bag: make the output a BagIt bag.
        redo_all: on a finished output, restore all images again.
        retry_failed: on a finished output, also take the images that failed.
        take_over: work on the output although it is locked by another run, which is dead.
        shard_size: images per shard; one shard is one task run and one part file.
    """

    task: Task
    method: Method = "dip"
    preset: Preset = "auto"
    seed: int = Field(0, ge=0, lt=2**63)
    runs: int = Field(1, ge=1)
    uncertainty: bool = False
    scale: int | None = Field(None, ge=SCALES.start, lt=SCALES.stop)
    kernel: Kernel | None = None
    max_iterations: int | None = Field(None, ge=1)
    tile_px: int | None = Field(None, ge=128)
    network: Network | None = None
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
    file_format: AskedFormat = "source"
    suffix: Suffix = ""
    overwrite: bool = False
    time_limit_s: Seconds | None = None
    embed: bool = False
    bag: bool = False
    redo_all: bool = False
    retry_failed: bool = False
    take_over: bool = False
    shard_size: int = Field(500, ge=1)

    @property
    def results(self) -> Location:
        """Where the results go: into the payload, if the output is to be a bag."""
        output = self.location(self.output)
        return output.below(PAYLOAD) if self.bag else output

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
            runs=self.runs,
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
    def _deviation_needs_runs(self) -> Self:
        if self.uncertainty and self.runs < 2:
            raise ValueError(f"a deviation needs at least two runs (--runs 2); got {self.runs}")
        return self

    @model_validator(mode="after")
    def _nothing_is_asked_in_vain(self) -> Self:
        if self.scale is not None and not OPERATORS[self.task].shrinks:
            raise ValueError(f"a scale factor goes with a super-resolution, not with the task {self.task}")
        if self.redo_all and self.retry_failed:
            raise ValueError("all images again (--all) are also those that failed (--retry-failed): name one")
        return self


def _sha256_of(weights: str) -> str:
    """Of a network's file: with other weights a run is another run."""
    try:
        return hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigurationError(
            f"Expected the file of a network; {weights} cannot be read: {error}."
        ) from error


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


class BenchmarkParameters(BatchParameters):
    """An evaluation: references in, degraded images made, metrics out.

    Attributes:
        protocol: how it is done; None for the task's usual one.
        sigma: Gaussian noise, in 8-bit units; 25 if a denoising is asked for no noise.
        poisson: shot noise of so many photons per pixel at full brightness.
        impulse: share of values replaced by black or white.
        jpeg: quality of a JPEG compression.
        missing: share of missing pixels, for inpainting.
        mask: a shape that hides pixels instead, for inpainting.
    """

    masks_location: ClassVar[None] = None
    guides_location: ClassVar[None] = None
    proposes_masks: ClassVar[bool] = False
    least_noise: ClassVar[float] = 0.0

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


Batch = ArchiveParameters | BenchmarkParameters
"""What a run can be asked for."""
