"""z: the fixed input of the network, and the canvas it lives on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dip.errors import ConfigurationError

AMPLITUDE = 0.1
MESHGRID_CHANNELS = 2


@dataclass(frozen=True)
class Ramp:
    """A number that grows linearly with the iterations, and then stays.

    As deviation of the input noise: little of it lets the structure be fitted at once, and more of it,
    later, keeps the image's noise from being fitted too.

    Attributes:
        first: at iteration 0.
        last: from `iterations` on.
        iterations: how long it grows.
    """

    first: float
    last: float
    iterations: int

    def at(self, iteration: int) -> float:
        """Its value at an iteration."""
        return self.first + (self.last - self.first) * min(1.0, iteration / self.iterations)


def canvas_size_px(height_px: int, width_px: int, scales: int, coarsest_side_px: int = 2) -> tuple[int, int]:
    """Height and width of the smallest canvas that a network of so many scales can draw an image on.

    Each side is a multiple of 2**scales, so that every halving is exact, and at least
    `coarsest_side_px` such multiples: reflection padding and batch normalization need two pixels
    a side at the coarsest scale, and large kernels need more.
    """
    multiple = 2**scales
    height, width = (max(coarsest_side_px, -(-side // multiple)) * multiple for side in (height_px, width_px))
    return height, width


def network_input(kind: str, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """z of a kind.

    Args:
        kind: `noise`, uniform below a tenth, or `meshgrid`, the coordinates of each pixel.
        shape: (channels, H, W).
        generator: of the noise; on the CPU.

    Returns:
        (1, channels, H, W), float32 on the CPU.

    Raises:
        ConfigurationError: the kind is unknown, or cannot have so many channels.
    """
    channels, size_px = shape[0], shape[1:]
    if kind == "noise":
        return uniform_noise(channels, size_px, generator)
    if kind != "meshgrid":
        raise ConfigurationError(f"Expected a network input of noise or meshgrid; got {kind}.")
    if channels != MESHGRID_CHANNELS:
        raise ConfigurationError(
            f"Expected {MESHGRID_CHANNELS} input channels for a meshgrid; got {channels}."
        )
    return meshgrid(size_px)


def uniform_noise(channels: int, size_px: tuple[int, int], generator: torch.Generator) -> Tensor:
    """z ~ U(0, 0.1), shape (1, channels, H, W), float32 on the CPU.

    Source: Ulyanov et al., CVPR 2018, supplementary, section 1.
    """
    return torch.rand((1, channels, *size_px), generator=generator) * AMPLITUDE


def meshgrid(size_px: tuple[int, int]) -> Tensor:
    """Coordinates of each pixel, x and then y, from 0 at the first to 1 at the last.

    As z they favour smooth images, which suits large holes.

    Returns:
        (1, 2, H, W), float32 on the CPU.

    Source: Ulyanov et al., *Deep Image Prior*, CVPR 2018, the large-hole inpainting.
    """
    y, x = (torch.linspace(0, 1, side) for side in size_px)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]
