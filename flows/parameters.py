"""What a flow run is asked for. These values cross the flow boundary, so that they are pydantic."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, Secret, model_validator

from dip.config import Configuration, Degradation
from dip.storage import Location
from dip.vocabulary import Damage, Kernel, MaskShape, Preset, Scale, Task


class BatchParameters(BaseModel):
    """What every batch needs.

    Attributes:
        source: folder or URL of the images; never written to.
        output: folder or URL of the results.
        task: what is wrong with the images.
        preset: `fast`, or `paper` for the published network.
        seed: results depend on it, the images and the configuration alone.
        scale: scale factor of a super-resolution.
        kernel: downsampling kernel of a super-resolution.
        max_iterations: cap on the preset's iterations per image.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: local worker processes; None for one per GPU, or one per core without a GPU.
        scheduler: address of a Dask scheduler that runs already, instead of local workers.
        storage_options: fsspec options for URLs, such as `{"endpoint_url": …, "key": …, "secret": …}`;
            kept out of records and logs. Environment variables are the better place for credentials.
        embed: put restored images into the Parquet rows instead of files.
        shard_size: images per shard; one shard is one task run and one part file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    output: str
    task: Task
    preset: Preset = "fast"
    seed: int = Field(0, ge=0, lt=2**63)
    scale: Scale = 4
    kernel: Kernel = "bicubic"
    max_iterations: int | None = Field(None, ge=1)
    device: str = "auto"
    workers: int | None = Field(None, ge=1)
    scheduler: str | None = None
    storage_options: Secret[dict[str, Any]] = Field(default_factory=lambda: Secret({}))
    embed: bool = False
    shard_size: int = Field(500, ge=1)

    def location(self, url: str) -> Location:
        """A URL with the storage options."""
        return Location(url, self.storage_options.get_secret_value())

    def _configuration(self, degradation: Degradation | None, damage: Damage) -> Configuration:
        return Configuration(
            task=self.task,
            preset=self.preset,
            seed=self.seed,
            scale=self.scale,
            kernel=self.kernel,
            max_iterations=self.max_iterations,
            damage=damage,
            degradation=degradation,
        )


class ArchiveParameters(BatchParameters):
    """A restoration of images as they are.

    Attributes:
        masks: folder or URL of masks, at the same relative paths as the images; for inpainting.
        damage: the mask value that marks what is to be repaired.
    """

    masks: str | None = None
    damage: Damage = "white"

    @model_validator(mode="after")
    def _masks_belong_to_inpainting(self) -> Self:
        if self.task == "inpaint" and self.masks is None:
            raise ValueError("inpainting needs masks that say what to repair (--masks)")
        if self.task != "inpaint" and self.masks is not None:
            raise ValueError(f"masks go with the task inpaint, not with {self.task}")
        return self

    @property
    def configuration(self) -> Configuration:
        """What decides the results."""
        return self._configuration(None, self.damage)


class BenchmarkParameters(BatchParameters):
    """An evaluation: references in, degraded images made, metrics out.

    Attributes:
        sigma: noise level in 8-bit units, for denoising.
        clip: whether noisy images are clipped to [0, 1].
        missing: share of missing pixels, for inpainting.
        mask: a shape that hides pixels instead, for inpainting.
    """

    sigma: float = Field(25.0, gt=0, le=255)
    clip: bool = False
    missing: float | None = Field(None, gt=0, lt=1)
    mask: MaskShape | None = None

    @property
    def configuration(self) -> Configuration:
        """What decides the results."""
        degradation = Degradation(self.sigma, self.clip, self.missing, self.mask)
        return self._configuration(degradation, "white")


Batch = ArchiveParameters | BenchmarkParameters
"""What a run can be asked for."""
