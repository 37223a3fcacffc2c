"""The skip network: an untrained hourglass with skip connections, the g of Deep Image Prior."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

LEAKY_SLOPE = 0.2


@dataclass(frozen=True)
class SkipArchitecture:
    """Shape of a skip network.

    Attributes:
        input_channels: channels of the network input z.
        width: channels of each scale's down and up path.
        skip_channels: channels of each scale's skip connection.
        scales: number of times the resolution is halved.
        upsampling: interpolation of the up path, `bilinear` or `nearest`.
    """

    input_channels: int = 32
    width: int = 128
    skip_channels: int = 4
    scales: int = 5
    upsampling: str = "bilinear"


class SkipNetwork(nn.Module):
    """g: maps the network input z to an image.

    With the default architecture and three output channels it has 2,217,831 parameters.
    Batch normalisation always uses the statistics of the image at hand, as the method asks.

    Args:
        architecture: widths and depth.
        output_channels: 1 for grey, 3 for colour.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, supplementary, section 1.
    """

    def __init__(self, architecture: SkipArchitecture, output_channels: int) -> None:
        super().__init__()
        self.body = _Scale(architecture, architecture.input_channels, architecture.scales)
        # A 1×1 convolution, written as what it is: torch runs it twice as fast on channels-last memory.
        self.head = nn.Linear(architecture.width, output_channels)

    def forward(self, network_input: Tensor) -> Tensor:
        """Map z to an image.

        Args:
            network_input: (B, input_channels, H, W); H and W multiples of 2**scales, at least
                2 * 2**scales.

        Returns:
            (B, output_channels, H, W), float32 in [0, 1]. The head runs in float32 whatever the
            precision of the body: its rounding would be visible in the image.
        """
        features = self.body(network_input)
        with torch.autocast(features.device.type, enabled=False):
            image: Tensor = torch.sigmoid(self.head(features.float().movedim(1, -1))).movedim(-1, 1)
        return image


class _Scale(nn.Module):
    """One scale: a skip branch beside a deeper branch at half the resolution, then their merger."""

    def __init__(self, architecture: SkipArchitecture, input_channels: int, scales_left: int) -> None:
        super().__init__()
        width = architecture.width
        self.skip = _convolution(input_channels, architecture.skip_channels, kernel=1)
        deeper: list[nn.Module] = [
            _convolution(input_channels, width, kernel=3, stride=2),
            _convolution(width, width, kernel=3),
        ]
        if scales_left > 1:
            deeper.append(_Scale(architecture, width, scales_left - 1))
        deeper.append(_upsampling(architecture.upsampling))
        self.deeper = nn.Sequential(*deeper)
        self.merge = nn.Sequential(
            _normalisation(architecture.skip_channels + width),
            _convolution(architecture.skip_channels + width, width, kernel=3),
            _convolution(width, width, kernel=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        merged: Tensor = self.merge(torch.cat([self.skip(features), self.deeper(features)], dim=1))
        return merged


def _convolution(inputs: int, outputs: int, *, kernel: int, stride: int = 1) -> nn.Sequential:
    padding = (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, padding_mode="reflect" if padding else "zeros"),
        _normalisation(outputs),
        nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
    )


def _normalisation(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, track_running_stats=False)


def _upsampling(mode: str) -> nn.Upsample:
    return nn.Upsample(scale_factor=2, mode=mode, align_corners=False if mode == "bilinear" else None)
