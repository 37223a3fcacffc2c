"""The subject of starts: to take damage off drawn pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from dip.education.examination import examine
from dip.education.lessons import DAMAGES, Bytes, draw_lesson
from dip.errors import ConfigurationError
from dip.optimize.device import in_precision
from dip.parameterizations.residual_unet import UNet

LEAST_ERROR = 1e-5
"""Added to each crop's squared error, so that blank crops, which are easy, do not count for ever more."""

SHAPES: dict[str, dict[str, Any]] = {
    "denoise": {"widths": (48, 96, 128), "blocks": 2, "shuffle": 2},
    "super-resolution": {"widths": (64,), "blocks": 4, "shuffle": 4},
}


@dataclass(frozen=True)
class Restoring:
    """How a start is taught.

    Attributes:
        task: `denoise`, which teaches holes, too, or `super-resolution`.
        damages: of `dip.education.lessons.DAMAGES`, what is taught for `denoise`.
        stock: pictures that lessons are cut from.
        renewed_every: steps after which a picture of the stock is exchanged for a new one.

    Raises:
        ConfigurationError: a damage is unknown.
    """

    task: str
    damages: tuple[str, ...]

    stock: ClassVar[int] = 256
    renewed_every: ClassVar[int] = 3

    def __post_init__(self) -> None:
        if not self.damages or not set(self.damages) <= set(DAMAGES):
            raise ConfigurationError(
                f"Expected some of the damages {', '.join(DAMAGES)}; got {', '.join(self.damages) or 'none'}."
            )

    @property
    def shape(self) -> dict[str, Any]:
        """What the network is made with."""
        return SHAPES[self.task]

    def loss(
        self,
        network: UNet,
        random: np.random.Generator,
        pictures: Sequence[Bytes],
        batch: int,
        crop_px: int,
        precision: torch.dtype,
    ) -> Tensor:
        """The mean logarithm of the crops' squared errors: it counts each crop in dB."""
        lesson = draw_lesson(self.task, self.damages, random, pictures, batch, crop_px)
        device = next(network.parameters()).device
        y = lesson.y.to(device).contiguous(memory_format=torch.channels_last)
        with in_precision(device, precision):
            drawn = network(y, lesson.observed.to(device))
        errors = (drawn.float() - lesson.clean.to(device)).square().mean(dim=(1, 2, 3))
        return torch.log(errors + LEAST_ERROR).mean()

    def examine(self, network: UNet, precision: torch.dtype) -> dict[str, float]:
        """PSNR of what the network draws in one pass, by kind of damage, in dB."""
        return examine(network, self.task, precision)

    def conclusion(self, network: UNet, precision: torch.dtype) -> dict[str, Any]:  # noqa: ARG002
        """What the card tells beside the scores: nothing."""
        return {}
