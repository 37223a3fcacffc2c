"""The U-Net: two convolutions a level, all features of each level carried over to its way up."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dip.parameterizations.layers import (
    ImageHead,
    check_upsampling,
    convolution,
    normalization,
    upsampling,
)
from dip.parameterizations.network_input import canvas_size_px


@dataclass(frozen=True)
class UNet:
    """Shape of a U-Net, by default narrow enough to fit one image.

    Attributes:
        input_channels: channels of the network input z.
        width: channels at the image's resolution; each level below has twice as many.
        scales: number of times the resolution is halved.
        upsampling: interpolation of the way up, `bilinear` or `nearest`.

    Raises:
        ConfigurationError: the upsampling is unknown.

    Source: Ronneberger, Fischer, Brox, *U-Net*, MICCAI 2015; as a prior, Ulyanov et al., *Deep Image
    Prior*, CVPR 2018, the large-hole inpainting.
    """

    input_channels: int = 32
    width: int = 16
    scales: int = 4
    upsampling: str = "bilinear"

    def __post_init__(self) -> None:
        check_upsampling(self.upsampling)

    def canvas_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Height and width of the smallest canvas it can draw an image of height_px × width_px on."""
        return canvas_size_px(height_px, width_px, self.scales)

    def input_shape(self, canvas_px: tuple[int, int]) -> tuple[int, int, int]:
        """(channels, height, width) of z: the canvas's own resolution."""
        return (self.input_channels, *canvas_px)

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> nn.Module:  # noqa: ARG002 - any
        """A fresh network, with weights from torch's global generator."""
        body = _levels(self.input_channels, self.width, self.scales, self.upsampling)
        return nn.Sequential(body, ImageHead(self.width, output_channels))


def _levels(inputs: int, width: int, levels_below: int, mode: str) -> nn.Sequential:
    """A level and all below it: (B, inputs, H, W) to (B, width, H, W)."""
    layers: list[nn.Module] = [_two_convolutions(inputs, width)]
    if levels_below:
        below = _levels(width, 2 * width, levels_below - 1, mode)
        raised = nn.Sequential(nn.MaxPool2d(2), below, upsampling(mode), convolution(2 * width, width))
        layers += [_CarriedOver(raised), _two_convolutions(2 * width, width)]
    return nn.Sequential(*layers)


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        convolution(inputs, outputs),
        normalization(outputs),
        nn.ReLU(inplace=True),
        convolution(outputs, outputs),
        normalization(outputs),
        nn.ReLU(inplace=True),
    )


class _CarriedOver(nn.Module):
    """Features, and after them, as further channels, what a branch makes of them."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features, self.branch(features)], dim=1)
