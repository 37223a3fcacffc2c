"""Convolutions whose gradients are taken the way the processor is fast at."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HAS_SLOW_WEIGHT_GRADIENT = torch.backends.cpu.get_cpu_capability() == "AVX2"
"""Whether the gradient of a kernel's weights takes five times as long channels last as channels first."""


class Convolution(nn.Conv2d):
    """A convolution of features in channels-last memory, without padding."""

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, (H − kernel) // stride + 1, (W − kernel) // stride + 1)."""
        is_slow = HAS_SLOW_WEIGHT_GRADIENT and features.device.type == "cpu"
        if not is_slow or features.dtype is not torch.float32:
            return super().forward(features)
        convolved: Tensor = _Convolve.apply(features, self.weight, self.bias, self.stride)  # type: ignore[no-untyped-call]
        return convolved


class _Convolve(torch.autograd.Function):
    """Torch's convolution, but for the memory format that its weights' gradient is taken in."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, int]
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.stride = stride
        return F.conv2d(features, weight, bias, stride)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None, None]:
        features, weight = ctx.saved_tensors
        (gradient,) = gradients
        of_features, of_bias = ctx.needs_input_grad[0], ctx.needs_input_grad[2]
        to_features, _, _ = _gradients(ctx, gradient, features, weight, [of_features, False, False])
        _, to_weight, to_bias = _gradients(
            ctx,
            _channels_first(gradient),
            _channels_first(features),
            weight.contiguous(),
            [False, True, of_bias],
        )
        return to_features, to_weight, to_bias, None


def _channels_first(features: Tensor) -> Tensor:
    """(B, C, H, W) in channels-first memory, by way of a matrix, whose transpose torch copies in blocks."""
    batch, channels, height, width = features.shape
    matrix = features.movedim(1, -1).flatten(0, 2).t().contiguous()
    return matrix.view(channels, batch, height, width).transpose(0, 1)


def _gradients(
    ctx: Any, gradient: Tensor, features: Tensor, weight: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Of features, weights and bias; None for those that are not wanted."""
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, features, weight, [len(weight)], ctx.stride, [0, 0], [1, 1], False, [0, 0], 1, wanted
    )
    return found
