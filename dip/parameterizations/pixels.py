"""No prior: the image is its own parameter."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dip.parameterizations.network_input import uniform_noise


@dataclass(frozen=True)
class FreePixels:
    """The image itself as what is optimized, on which the data term alone acts: a baseline.

    Source: Ulyanov et al., *Deep Image Prior*, CVPR 2018, the comparison with no prior.
    """

    def canvas_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """The image's own size."""
        return height_px, width_px

    def input_shape(self, canvas_px: tuple[int, int]) -> tuple[int, int, int]:  # noqa: ARG002 - any
        """(1, 1, 1): z is ignored."""
        return 1, 1, 1

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> nn.Module:
        """A fresh image, drawn from torch's global generator."""
        return PixelImage(output_channels, canvas_px)


class PixelImage(nn.Module):
    """An image of free pixels, U(0, 0.1) at the start.

    Args:
        channels: 1 for grey, 3 for colour.
        size_px: (H, W).
    """

    def __init__(self, channels: int, size_px: tuple[int, int]) -> None:
        super().__init__()
        self.image = nn.Parameter(uniform_noise(channels, size_px, torch.default_generator))

    def forward(self, z: Tensor) -> Tensor:  # noqa: ARG002 - any
        """The image, (1, channels, H, W), float32.

        It is not bounded to [0, 1], where a clamp would have no gradient: whoever takes it clips it.
        """
        return self.image.clone()  # what was drawn must not change with the next step
