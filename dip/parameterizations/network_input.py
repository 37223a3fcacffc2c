"""z: the fixed input of the network, and the canvas it lives on."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dip.errors import ConfigurationError

AMPLITUDE = 0.1
CHANNELS = {"meshgrid": 2, "guide": 3}
"""How many channels the kinds of z have that cannot have any number of them."""


@dataclass(frozen=True)
class Ramp:
    """A number that grows linearly with the iterations, and then stays.

    As deviation of the input noise: little of it lets the structure be fitted at once, and more of it,
    later, keeps the image's noise from being fitted too.

    Attributes:
        first: at iteration 0.
        last: from `iterations` on.
        iterations: how long it grows.

    >>> Ramp(0.0, 0.5, iterations=100).at(torch.tensor([0, 50, 100, 900]))
    tensor([0.0000, 0.2500, 0.5000, 0.5000], dtype=torch.float64)
    """

    first: float
    last: float
    iterations: int

    def at(self, iteration: Tensor) -> Tensor:
        """Its value at an iteration; both scalars, on any device."""
        return self.first + (self.last - self.first) * (iteration.double() / self.iterations).clamp(max=1)


def canvas_size_px(height_px: int, width_px: int, scales: int, coarsest_side_px: int = 2) -> tuple[int, int]:
    """Height and width of the smallest canvas that a network of so many scales can draw an image on.

    Each side is a multiple of 2**scales, so that every halving is exact, and at least
    `coarsest_side_px` such multiples: reflection padding and batch normalization need two pixels
    a side at the coarsest scale, and large kernels need more.

    >>> canvas_size_px(100, 130, scales=5)
    (128, 160)
    """
    multiple = 2**scales
    height, width = (max(coarsest_side_px, -(-side // multiple)) * multiple for side in (height_px, width_px))
    return height, width


def network_input(
    kind: str, shape: tuple[int, int, int], generator: torch.Generator, guide: Tensor | None = None
) -> Tensor:
    """z: the noise, the coordinates or the second image that a network draws from.

    Args:
        kind: `noise`, uniform below a tenth; `meshgrid`, the coordinates of each pixel; or `guide`, another
            image of the same scene.
        shape: (channels, H, W).
        generator: of the noise; on the CPU.
        guide: (1, 3, h, w), no larger than z; its border is repeated where z is larger.

    Returns:
        (1, channels, H, W), float32 on the CPU.

    Raises:
        ConfigurationError: the kind is unknown, cannot have so many channels, or lacks its guide.

    >>> network_input("noise", (32, 64, 96), torch.Generator().manual_seed(0)).shape
    torch.Size([1, 32, 64, 96])
    """
    channels, size_px = shape[0], shape[1:]
    check_channels(kind, channels)
    if kind == "noise":
        return uniform_noise(channels, size_px, generator)
    if kind == "meshgrid":
        return meshgrid(size_px)
    if kind != "guide":
        raise ConfigurationError(f"Expected a network input of noise, meshgrid or guide; got {kind}.")
    if guide is None:
        raise ConfigurationError("Expected a second image as the network's input; got none (--guides).")
    height_px, width_px = size_px
    return F.pad(guide, (0, width_px - guide.shape[3], 0, height_px - guide.shape[2]), mode="replicate")


def check_channels(kind: str, channels: int) -> None:
    """Refuse channels that z of a kind cannot have.

    Raises:
        ConfigurationError: it cannot.

    >>> check_channels("meshgrid", 2)
    >>> check_channels("meshgrid", 32)
    Traceback (most recent call last):
    dip.errors.ConfigurationError: Expected a network with 2 input channels, for the network input ...
    """
    needed = CHANNELS.get(kind, channels)
    if channels != needed:
        raise ConfigurationError(
            f"Expected a network with {needed} input channels, for the network input {kind}; got {channels} "
            "(--input-channels)."
        )


def uniform_noise(channels: int, size_px: tuple[int, int], generator: torch.Generator) -> Tensor:
    """z ~ U(0, 0.1), shape (1, channels, H, W), float32 on the CPU.

    Source: Ulyanov et al., CVPR 2018, supplementary, section 1.

    >>> bool(uniform_noise(32, (64, 96), torch.Generator().manual_seed(0)).max() <= 0.1)
    True
    """
    return torch.rand((1, channels, *size_px), generator=generator) * AMPLITUDE


def meshgrid(size_px: tuple[int, int]) -> Tensor:
    """Coordinates of each pixel, x and then y, from 0 at the first to 1 at the last.

    As z they favour smooth images, which suits large holes.

    Returns:
        (1, 2, H, W), float32 on the CPU.

    Source: Ulyanov et al., *Deep Image Prior*, CVPR 2018, the large-hole inpainting.

    >>> meshgrid((2, 3))
    tensor([[[[0.0000, 0.5000, 1.0000],
              [0.0000, 0.5000, 1.0000]],
    <BLANKLINE>
             [[0.0000, 0.0000, 0.0000],
              [1.0000, 1.0000, 1.0000]]]])
    """
    y, x = (torch.linspace(0, 1, side) for side in size_px)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]
