"""Padding and upsampling with gradients of their own: torch's are slow, and on a GPU without an order.

Values are torch's, to the bit. The gradients of torch's own layers are added up atomically on a GPU,
so that last bits differ from run to run, and on a CPU they leave the channels-last memory format.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BILINEAR_TAPS = (0.25, 0.75, 0.75, 0.25)
"""What a pixel gives to the four nearest of a line of twice the length."""


class ReflectionPadding(nn.Module):
    """Mirror so many pixels at each border, without repeating the border itself.

    >>> ReflectionPadding(1)(torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]))[0, 0, 0]
    tensor([5., 4., 5., 6., 5.])
    """

    def __init__(self, width_px: int) -> None:
        super().__init__()
        self.width_px = width_px

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H + 2 width, W + 2 width); each side needs width + 1 pixels."""
        padded: Tensor = _Reflect.apply(features, self.width_px)  # type: ignore[no-untyped-call]
        return padded


class BilinearUpsampling(nn.Module):
    """Twice the size by bilinear interpolation, corners not aligned.

    >>> BilinearUpsampling()(torch.tensor([[[[0.0, 1.0]]]]))[0, 0, 0]
    tensor([0.0000, 0.2500, 0.7500, 1.0000])
    """

    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        # On the device once: a copy from the host at each iteration would wait for it.
        self.register_buffer("taps", torch.tensor(BILINEAR_TAPS), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 2 H, 2 W)."""
        enlarged: Tensor = _UpsampleBilinear.apply(features, self.taps)  # type: ignore[no-untyped-call]
        return enlarged


class NearestUpsampling(nn.Module):
    """Twice the size, each pixel four times.

    >>> NearestUpsampling()(torch.tensor([[[[0.0, 1.0]]]]))[0, 0, 0]
    tensor([0., 0., 1., 1.])
    """

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 2 H, 2 W)."""
        with _as_precise_as_given(features):
            return F.interpolate(features, scale_factor=2.0, mode="nearest")


def _as_precise_as_given(features: Tensor) -> torch.autocast:
    """For the time of a block: on a GPU, autocast would enlarge in float32 what is bfloat16."""
    return torch.autocast(features.device.type, enabled=False)


class _Reflect(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, width_px: int) -> Tensor:
        ctx.width_px = width_px
        return _bordered(features, width_px, _mirrored_lines(width_px))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (padded,) = gradients
        width_px = ctx.width_px
        rows = padded[..., width_px:-width_px, :].clone(memory_format=torch.channels_last)
        inside = slice(width_px, -width_px)
        for outer, inner in _mirrored_lines(width_px):
            rows[:, :, _without(inner, width_px)] += padded[:, :, outer]
        features = rows[..., inside].clone(memory_format=torch.channels_last)
        for outer, inner in _mirrored_lines(width_px):
            features[..., _without(inner, width_px)] += rows[..., outer]
        return features, None


def _mirrored_lines(width_px: int) -> list[tuple[int, int]]:
    """Indices of the lines outside the image, each with the line inside that it repeats."""
    first = [(width_px - i, width_px + i) for i in range(1, width_px + 1)]
    return first + [(-1 - outer, -1 - inner) for outer, inner in first]


def _without(line: int, width_px: int) -> int:
    """A padded line's index without the padding."""
    return line - width_px if line >= 0 else line + width_px


class _UpsampleBilinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, taps: Tensor) -> Tensor:
        ctx.taps = taps
        with _as_precise_as_given(features):
            return F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The transpose of the interpolation: a convolution per channel, with stride 2.

        Beyond the border the interpolation repeats the outermost line of its input, which is as if the
        outermost line of the gradient were repeated.
        """
        (enlarged,) = gradients
        channels, taps = enlarged.shape[1], ctx.taps.to(enlarged.dtype)
        kernel = (taps[:, None] * taps).expand(channels, 1, -1, -1).contiguous()
        bordered = _bordered(enlarged, 1, [(0, 1), (-1, -2)])
        return F.conv2d(bordered, kernel, stride=2, groups=channels), None


def _bordered(features: Tensor, width_px: int, lines: list[tuple[int, int]]) -> Tensor:
    """Channels last, with so many pixels more at each side; of `lines`, the first repeats the second."""
    batch, channels, *size_px = features.shape
    bordered = torch.empty(
        (batch, channels, *(side + 2 * width_px for side in size_px)),
        dtype=features.dtype,
        device=features.device,
        memory_format=torch.channels_last,
    )
    bordered[..., width_px:-width_px, width_px:-width_px] = features
    for along in (bordered[..., width_px:-width_px, :].transpose(2, 3), bordered):
        for outer, inner in lines:
            along[:, :, outer] = along[:, :, inner]
    return bordered
