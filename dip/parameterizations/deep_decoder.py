"""The deep decoder: upsampling and mixtures of channels, no spatial convolution, few parameters."""

from dataclasses import dataclass

from torch import nn

from dip.parameterizations.layers import (
    ImageHead,
    check_upsampling,
    normalization,
    upsampling,
)
from dip.parameterizations.network_input import canvas_size_px


@dataclass(frozen=True)
class DeepDecoder:
    """Shape of a deep decoder: by default, 100,224 parameters for three output channels.

    Attributes:
        width: channels of z and of each block.
        scales: number of times the resolution is doubled; one block more follows.
        upsampling: interpolation, `bilinear` or `nearest`.

    Raises:
        ConfigurationError: the upsampling is unknown.

    Source: Heckel, Hand, *Deep Decoder*, ICLR 2019, section 2.
    """

    width: int = 128
    scales: int = 5
    upsampling: str = "bilinear"

    def __post_init__(self) -> None:
        check_upsampling(self.upsampling)

    def canvas_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Height and width of the smallest canvas it can draw an image of height_px × width_px on."""
        return canvas_size_px(height_px, width_px, self.scales)

    def input_shape(self, canvas_px: tuple[int, int]) -> tuple[int, int, int]:
        """(channels, height, width) of z: the canvas's size halved `scales` times."""
        height_px, width_px = canvas_px
        return self.width, height_px >> self.scales, width_px >> self.scales

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> nn.Module:  # noqa: ARG002 - any
        """A fresh network, with weights from torch's global generator."""
        return nn.Sequential(
            *(_block(self.width, upsampling(self.upsampling)) for _ in range(self.scales)),
            _block(self.width),
            ImageHead(self.width, output_channels, bias=False),
        )


def _block(width: int, *resampling: nn.Module) -> nn.Sequential:
    """A mixture of channels, resampled, rectified and normalized."""
    return nn.Sequential(
        nn.Conv2d(width, width, 1, bias=False),
        *resampling,
        nn.ReLU(inplace=True),
        normalization(width),
    )
