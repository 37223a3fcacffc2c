"""What is asked of a restoration, as values. Where it runs and where files lie is not part of it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

from dip.errors import ConfigurationError
from dip.vocabulary import Damage, Kernel, MaskShape, Preset, Scale, Task

if TYPE_CHECKING:
    from dip.presets import Settings


@dataclass(frozen=True)
class Degradation:
    """How an evaluation damages its references; a super-resolution shrinks them by its own scale.

    Attributes:
        sigma: standard deviation of Gaussian noise, in 8-bit units; for denoising.
        clip: whether the noisy image is clipped to [0, 1].
        missing: share of pixels left out at random, in (0, 1); for inpainting.
        mask: shape of what is left out instead; for inpainting.
    """

    sigma: float = 25.0
    clip: bool = False
    missing: float | None = None
    mask: MaskShape | None = None


@dataclass(frozen=True)
class Configuration:
    """All that decides what becomes of an image.

    Attributes:
        task: what is wrong with the images.
        preset: a name in `dip.presets.PRESETS`.
        seed: a result depends on it, the image's bytes and the rest of the configuration.
        scale: scale factor of a super-resolution.
        kernel: downsampling kernel of a super-resolution.
        max_iterations: cap on the preset's iterations.
        damage: the mask value that marks what is to be repaired.
        degradation: how references are damaged first; None outside of evaluations.

    Raises:
        ConfigurationError: a value is out of range, or does not go with the task.
    """

    task: Task
    preset: Preset = "fast"
    seed: int = 0
    scale: Scale = 4
    kernel: Kernel = "bicubic"
    max_iterations: int | None = None
    damage: Damage = "white"
    degradation: Degradation | None = None

    def __post_init__(self) -> None:
        _expect("a task", self.task, get_args(Task))
        _expect("a preset", self.preset, get_args(Preset))
        _expect("a scale factor", self.scale, get_args(Scale))
        _expect("a kernel", self.kernel, get_args(Kernel))
        _expect("a mask value that means damage,", self.damage, get_args(Damage))
        if self.max_iterations is not None and self.max_iterations < 1:
            raise ConfigurationError(f"Expected at least one iteration; got {self.max_iterations}.")
        if not 0 <= self.seed < 2**63:
            raise ConfigurationError(f"Expected a seed from 0 to 2^63 - 1; got {self.seed}.")
        if self.degradation is not None:
            _check_degradation(self.degradation, self.task)

    @property
    def scale_factor(self) -> int:
        """How many times larger a restoration is than what it is made from."""
        return self.scale if self.task == "super-resolution" else 1

    @property
    def settings(self) -> "Settings":
        """The preset's settings for the task."""
        # Imported here, so that whoever only hands configurations on needs no torch.
        from dip.presets import settings_for

        return settings_for(self.preset, self.task, self.max_iterations)

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that change with the configuration or with what its preset means."""
        meaning = {**asdict(self), "settings": asdict(self.settings)}
        return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _expect(what: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"Expected {what} of {', '.join(map(str, allowed))}; got {value!r}.")


def _check_degradation(degradation: Degradation, task: Task) -> None:
    if task == "denoise" and not 0 < degradation.sigma <= 255:
        raise ConfigurationError(f"Expected a noise level σ in (0, 255]; got {degradation.sigma}.")
    if task != "inpaint":
        return
    if (degradation.missing is None) == (degradation.mask is None):
        raise ConfigurationError(
            "Expected an inpainting evaluation to say what is missing: either a share of the pixels "
            "(missing) or a shape (mask)."
        )
    if degradation.missing is not None and not 0 < degradation.missing < 1:
        raise ConfigurationError(f"Expected a share of missing pixels in (0, 1); got {degradation.missing}.")
    if degradation.mask is not None:
        _expect("a mask shape", degradation.mask, get_args(MaskShape))
