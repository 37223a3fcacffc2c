"""The skip network: an untrained hourglass with skip connections, the g of Deep Image Prior."""

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from dip.errors import ConfigurationError
from dip.parameterizations.dropout import Dropout
from dip.parameterizations.layers import (
    LEAKY_SLOPE,
    ImageHead,
    check_upsampling,
    convolution,
    normalization,
    upsampling,
)
from dip.parameterizations.network_input import canvas_size_px

T = TypeVar("T", int, str)


@dataclass(frozen=True)
class Scale:
    """The channels and the interpolation of one scale of a skip network."""

    width: int
    skip_channels: int
    upsampling: str


@dataclass(frozen=True)
class Skip:
    """Shape of a skip network; the default is the paper's network D.

    Where a tuple is possible, it has one value per scale, from the image's resolution downwards, and
    a single value stands for all scales.

    Attributes:
        input_channels: channels of the network input z.
        width: channels of the down and the up path.
        skip_channels: channels of the skip connection; 0 for none.
        scales: number of times the resolution is halved, at least 1.
        upsampling: interpolation of the up path, `bilinear` or `nearest`.
        downsampling: `stride`, the first convolution of a scale skips every other pixel, or
            `average`, it is followed by a mean of 2×2 pixels.
        down_kernel: side of the down path's convolutions, px, odd.
        up_kernel: side of the up path's convolution, px, odd.
        pointwise: whether the up path has a 1×1 convolution after the other.
        dropout: share of the up path's features that are left out at random in each iteration, anew. The
            averaged output is then that of many networks, which agree on the image more than on its noise.

    Raises:
        ConfigurationError: there is no scale, a tuple is not of one value per scale, a kernel is even,
            or a word is unknown.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, supplementary, section 1. Dropout in a
        fit to one image: Quan et al., *Self2Self*, CVPR 2020, section 3.2.

    >>> network = Skip(input_channels=2, width=4).network(output_channels=3, canvas_px=(64, 96))
    >>> network(torch.rand(1, 2, 64, 96)).shape
    torch.Size([1, 3, 64, 96])
    """

    input_channels: int = 32
    width: int | tuple[int, ...] = 128
    skip_channels: int | tuple[int, ...] = 4
    scales: int = 5
    upsampling: str | tuple[str, ...] = "bilinear"
    downsampling: str = "stride"
    down_kernel: int = 3
    up_kernel: int = 3
    pointwise: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.scales < 1:
            raise ConfigurationError(f"Expected at least 1 scale; got {self.scales}.")
        for kernel in (self.down_kernel, self.up_kernel):
            if kernel < 1 or kernel % 2 == 0:
                raise ConfigurationError(f"Expected convolutions with an odd kernel; got {kernel}.")
        if self.downsampling not in ("stride", "average"):
            raise ConfigurationError(
                f"Expected a downsampling of stride or average; got {self.downsampling}."
            )
        check_upsampling(*(scale.upsampling for scale in self.each_scale()))

    def canvas_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Height and width of the smallest canvas it can draw an image of height_px × width_px on."""
        coarsest_px = max(2, self.down_kernel // 2 + 1, self.up_kernel // 4 + 1)
        return canvas_size_px(height_px, width_px, self.scales, coarsest_px)

    def input_shape(self, canvas_px: tuple[int, int]) -> tuple[int, int, int]:
        """(channels, height, width) of z: the canvas's own resolution."""
        return (self.input_channels, *canvas_px)

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> "SkipNetwork":  # noqa: ARG002 - any
        """A fresh network, with weights from torch's global generator."""
        return SkipNetwork(self, output_channels)

    def each_scale(self) -> tuple[Scale, ...]:
        """Its scales, from the image's resolution downwards."""
        widths = _per_scale("width", self.width, self.scales)
        skip_channels = _per_scale("skip_channels", self.skip_channels, self.scales)
        upsamplings = _per_scale("upsampling", self.upsampling, self.scales)
        return tuple(map(Scale, widths, skip_channels, upsamplings))


class SkipNetwork(nn.Module):
    """g: maps the network input z to an image.

    With the default shape and three output channels it has 2,217,831 parameters.
    Batch normalization always uses the statistics of the image at hand, as the method asks.

    Args:
        shape: widths, depth and variants.
        output_channels: 1 for grey, 3 for colour.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, supplementary, section 1.
    """

    def __init__(self, shape: Skip, output_channels: int) -> None:
        super().__init__()
        scales = shape.each_scale()
        self.body = _Hourglass(shape, shape.input_channels, scales)
        self.head = ImageHead(scales[0].width, output_channels)

    def forward(self, z: Tensor) -> Tensor:
        """Map z to an image.

        Args:
            z: (B, input_channels, H, W), on a canvas of `Skip.canvas_px`.

        Returns:
            (B, output_channels, H, W), float32 in [0, 1].
        """
        image: Tensor = self.head(self.body(z))
        return image


class _Hourglass(nn.Module):
    """One scale and all below it: a skip branch beside a branch at half the resolution, then their merger."""

    def __init__(self, shape: Skip, inputs: int, scales: tuple[Scale, ...]) -> None:
        super().__init__()
        scale, *coarser = scales
        self.skip = _convolution(inputs, scale.skip_channels, kernel=1) if scale.skip_channels else None
        deeper: list[nn.Module] = [
            _convolution(inputs, scale.width, shape.down_kernel, halving=shape.downsampling),
            _convolution(scale.width, scale.width, shape.down_kernel),
        ]
        if coarser:
            deeper.append(_Hourglass(shape, scale.width, tuple(coarser)))
        self.deeper = nn.Sequential(*deeper, upsampling(scale.upsampling))
        self.merge = _merger(shape, scale, scale.skip_channels + (coarser or scales)[0].width)

    def forward(self, features: Tensor) -> Tensor:
        drawn: Tensor = self.deeper(features)
        if self.skip is not None:
            drawn = torch.cat([self.skip(features), drawn], dim=1)
        merged: Tensor = self.merge(drawn)
        return merged


def _merger(shape: Skip, scale: Scale, inputs: int) -> nn.Sequential:
    layers: list[nn.Module] = [normalization(inputs)]
    if shape.dropout:
        layers.append(Dropout(shape.dropout))
    layers.append(_convolution(inputs, scale.width, shape.up_kernel))
    if shape.pointwise:
        layers.append(_convolution(scale.width, scale.width, kernel=1))
    return nn.Sequential(*layers)


def _convolution(inputs: int, outputs: int, kernel: int, halving: str | None = None) -> nn.Sequential:
    """A convolution, normalized and activated; `halving` is the way it halves the resolution, if it does."""
    return nn.Sequential(
        convolution(inputs, outputs, kernel, stride=2 if halving == "stride" else 1),
        *([nn.AvgPool2d(2)] if halving == "average" else []),
        normalization(outputs),
        nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
    )


def _per_scale(name: str, value: T | tuple[T, ...], scales: int) -> tuple[T, ...]:
    values = value if isinstance(value, tuple) else (value,) * scales
    if len(values) != scales:
        raise ConfigurationError(f"Expected {name} as one value or {scales}, one per scale; got {values}.")
    return values
