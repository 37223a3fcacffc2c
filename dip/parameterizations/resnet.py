"""The ResNet: residual blocks, all at the image's own resolution."""

from dataclasses import dataclass

from torch import Tensor, nn

from dip.parameterizations.layers import LEAKY_SLOPE, ImageHead, convolution, normalization


@dataclass(frozen=True)
class ResNet:
    """Shape of a residual network without any change of resolution.

    Attributes:
        input_channels: channels of the network input z.
        width: channels of each block.
        blocks: number of residual blocks.

    Source: He et al., *Deep Residual Learning*, CVPR 2016; as a prior, Ulyanov et al., *Deep Image
    Prior*, CVPR 2018, the large-hole inpainting.
    """

    input_channels: int = 32
    width: int = 32
    blocks: int = 8

    def canvas_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """The image's own size, with the two pixels a side that reflection padding needs."""
        return max(2, height_px), max(2, width_px)

    def input_shape(self, canvas_px: tuple[int, int]) -> tuple[int, int, int]:
        """(channels, height, width) of z: the canvas's own resolution."""
        return (self.input_channels, *canvas_px)

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> nn.Module:  # noqa: ARG002 - any
        """A fresh network, with weights from torch's global generator."""
        return nn.Sequential(
            convolution(self.input_channels, self.width),
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            *(_Residual(self.width) for _ in range(self.blocks)),
            convolution(self.width, self.width),
            normalization(self.width),
            ImageHead(self.width, output_channels),
        )


class _Residual(nn.Module):
    """Features plus what two convolutions make of them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            convolution(width, width),
            normalization(width),
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            convolution(width, width),
            normalization(width),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.branch(features)
        return changed
