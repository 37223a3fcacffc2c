"""The fit from an educated start: tens of iterations that make a network's weights an image's own."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dip.optimize.device import body_precision, in_precision
from dip.parameterizations.residual_unet import ResidualUNet

Loss = Callable[[ResidualUNet], Tensor]
Watch = Callable[[int, Tensor, ResidualUNet], None]


@dataclass(frozen=True)
class Adaptation:
    """How a start is fitted to an image.

    Attributes:
        start: name of a start of the package.
        iterations: how many.
        learning_rate: of Adam.
        recorruption: α, the share of the noise that is added to the input once more.
        average: weight of the earlier weights in the average over the fit.
        crop_px: longest side of what an iteration looks at.
    """

    start: str
    iterations: int = 60
    learning_rate: float = 4e-4
    recorruption: float = 1.0
    average: float = 0.95
    crop_px: int = 256


def drawn_by(network: ResidualUNet, y: Tensor, observed: Tensor) -> Tensor:
    """g(θ, y), float32, of y, (B, 3, H, W), whose holes are filled; observed is (B, 1, H, W)."""
    precision = body_precision(y.device, torch.bfloat16)
    y = y.contiguous(memory_format=torch.channels_last)
    with in_precision(y.device, precision):
        drawn: Tensor = network(y, observed)
    return drawn.float()


def adapted(start: ResidualUNet, loss: Loss, adaptation: Adaptation, watch: Watch) -> ResidualUNet:
    """A copy of the network with weights of the image's own: their average over the fit.

    Args:
        start: g(θ₀, ·).
        loss: what is minimised; it draws its random numbers itself.
        adaptation: how long and how fast.
        watch: sees each iteration, counted from 1, its loss, and the network as it is on average.
    """
    network, average = copy.deepcopy(start), copy.deepcopy(start)
    optimizer = torch.optim.Adam(network.parameters(), adaptation.learning_rate, fused=True)
    for step in range(adaptation.iterations):
        optimizer.zero_grad()
        error = loss(network)
        error.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        kept = min(adaptation.average, (step + 1) / (step + 2))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - kept)
        watch(step + 1, error.detach(), average)
    return average
