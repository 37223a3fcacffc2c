"""Everything that one fit needs beside the image, the operator and the seed, as a value."""

from dataclasses import dataclass

import torch

from dip.objective import Objective
from dip.optimize.loop import Schedule
from dip.parameterizations.base import Parameterization
from dip.parameterizations.network_input import Ramp, check_channels


@dataclass(frozen=True)
class Settings:
    """Everything an optimisation needs beside the image, the operator and the seed.

    Attributes:
        parameterization: g.
        input_noise: standard deviation of what is added to z at each iteration (`reg_noise`).
        schedule: learning rate, iterations, stop rule.
        precision: of the network's body; statistics, head, weights and loss are float32.
        network_input: z, `noise`, `meshgrid` or `guide`.
        objective: E, λ and R.
        least_area_px: pixels of the smallest image that they are for, if there are `smaller` ones.
        smaller: the settings for smaller images.
        noisier: the settings for images with noise of `NOISY` or more, if these have some of their own.

    Raises:
        ConfigurationError: the network cannot be fed that.
    """

    parameterization: Parameterization
    input_noise: float | Ramp
    schedule: Schedule
    precision: torch.dtype = torch.float32
    network_input: str = "noise"
    objective: Objective = Objective()  # noqa: RUF009 - frozen
    least_area_px: int = 0
    smaller: "Settings | None" = None
    noisier: "Settings | None" = None

    def __post_init__(self) -> None:
        channels, *_ = self.parameterization.input_shape((64, 64))
        check_channels(self.network_input, channels)

    def for_size(self, size_px: tuple[int, int]) -> "Settings":
        """The settings for an image, or a tile of one, of (H, W) pixels."""
        height_px, width_px = size_px
        if self.smaller is None or height_px * width_px >= self.least_area_px:
            return self
        return self.smaller.for_size(size_px)

    def for_noise(self, sigma: float | None) -> "Settings":
        """The settings for an image with noise of that σ, in 8-bit units, or None if unknown."""
        if self.noisier is None or sigma is None or sigma < NOISY:
            return self
        return self.noisier


NOISY = 35.0
"""σ in 8-bit units between those that the settings were measured at, 25 and 50."""
