"""The parts that the networks share."""

import torch
from torch import Tensor, nn

from dip.errors import ConfigurationError
from dip.parameterizations.convolution import Convolution
from dip.parameterizations.resampling import BilinearUpsampling, NearestUpsampling, ReflectionPadding

UPSAMPLINGS = ("bilinear", "nearest")
LEAKY_SLOPE = 0.2


class ImageHead(nn.Module):
    """Features to an image: a 1×1 convolution and a sigmoid.

    It runs in float32 whatever the precision of the body: its rounding would be visible in the image.

    Args:
        width: channels of the features.
        output_channels: 1 for grey, 3 for colour.
        bias: whether the convolution has one.
    """

    def __init__(self, width: int, output_channels: int, *, bias: bool = True) -> None:
        super().__init__()
        # A 1×1 convolution, written as what it is: torch runs it twice as fast on channels-last memory.
        self.convolution = nn.Linear(width, output_channels, bias)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, width, H, W), of any floating type, to (B, output_channels, H, W), float32 in [0, 1]."""
        with torch.autocast(features.device.type, enabled=False):
            drawn: Tensor = self.convolution(features.float().movedim(1, -1))
            return torch.sigmoid(drawn).movedim(-1, 1)


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """A convolution with an odd kernel that keeps the size, or divides it by `stride`.

    It reflects kernel // 2 pixels at the border: each side needs one pixel more than that.

    >>> convolution(32, 16, stride=2)(torch.zeros(1, 32, 8, 12)).shape
    torch.Size([1, 16, 4, 6])
    """
    if kernel == 1:
        return nn.Conv2d(inputs, outputs, kernel, stride)
    return nn.Sequential(ReflectionPadding(kernel // 2), Convolution(inputs, outputs, kernel, stride))


def normalization(channels: int) -> nn.BatchNorm2d:
    """Batch normalization by the statistics of the image at hand, in training and after it.

    >>> normalization(2)(torch.rand(1, 2, 8, 8)).mean().abs() < 1e-6
    tensor(True)
    """
    return nn.BatchNorm2d(channels, track_running_stats=False)


def upsampling(mode: str) -> nn.Module:
    """Twice the size, by `bilinear` or `nearest` interpolation.

    >>> upsampling("nearest")(torch.tensor([[[[0.0, 1.0]]]]))
    tensor([[[[0., 0., 1., 1.],
              [0., 0., 1., 1.]]]])
    """
    return BilinearUpsampling() if mode == "bilinear" else NearestUpsampling()


def check_upsampling(*modes: str) -> None:
    """Refuse what `upsampling` cannot do.

    Raises:
        ConfigurationError: a mode is not one of `UPSAMPLINGS`.

    >>> check_upsampling("bilinear", "cubic")
    Traceback (most recent call last):
    dip.errors.ConfigurationError: Expected an upsampling of bilinear or nearest; got cubic.
    """
    for mode in modes:
        if mode not in UPSAMPLINGS:
            raise ConfigurationError(f"Expected an upsampling of {' or '.join(UPSAMPLINGS)}; got {mode}.")
