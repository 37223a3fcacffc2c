"""The fit from an educated start: tens of iterations that make a network's weights an image's own."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dip.operators.filling import filled
from dip.operators.noise_model import NoiseModel
from dip.optimize.device import body_precision
from dip.parameterizations.residual_unet import ResidualUNet


@dataclass(frozen=True)
class Adaptation:
    """How a start is fitted to an image.

    Attributes:
        start: name of a start of the package.
        iterations: how many.
        learning_rate: of Adam.
        recorruption: α, the share of the noise that is added to the input once more.
        average: of the weights, from step to step.
        crop_px: longest side of what an iteration looks at.
    """

    start: str
    iterations: int = 40
    learning_rate: float = 3e-4
    recorruption: float = 0.7
    average: float = 0.95
    crop_px: int = 256


Draw = Callable[[ResidualUNet, Tensor, Tensor], Tensor]


def drawn_by(network: ResidualUNet, y: Tensor, observed: Tensor, precision: torch.dtype) -> Tensor:
    """g(θ, y): (1, 3, H, W), float32, of y with holes filled."""
    y = y.contiguous(memory_format=torch.channels_last)
    with torch.autocast(y.device.type, precision, enabled=precision is not torch.float32):
        drawn: Tensor = network(y, observed)
    return drawn.float()


def recorrupted_loss(
    network: ResidualUNet, y: Tensor, observed: Tensor, noise: Tensor, share: float, precision: torch.dtype
) -> Tensor:
    """‖m (g(θ, y + α n) − (y − n / α))‖² / ‖m‖², which is the error to the clean image but for a constant.

    Source: Pang et al., *Recorrupted-to-Recorrupted*, CVPR 2021, equations 6 to 8.
    """
    drawn = drawn_by(network, filled(y + share * noise, observed), observed, precision)
    errors = (drawn - (y - noise / share)) * observed
    return errors.square().sum() / (3 * observed.sum().clamp(min=1))


def adapted(
    start: ResidualUNet, y: Tensor, observed: Tensor, clean: Tensor, noise: NoiseModel, adaptation: Adaptation,
    seed: int, tell: Callable[[float], None] | None = None,
) -> ResidualUNet:
    """A copy of the network with weights of the image's own: the average over the fit.

    Args:
        start: g(θ₀, ·), on the device of y.
        y: (1, 3, H, W).
        observed: (1, 1, H, W), 1 = observed.
        clean: (1, 3, H, W), a first estimate, whose tones the noise follows.
        noise: of y.
        adaptation: how long and how fast.
        seed: of the noise and the crops.
        tell: is told the share that is done.
    """
    network, average = copy.deepcopy(start), copy.deepcopy(start)
    precision = body_precision(y.device, torch.bfloat16)
    optimizer = torch.optim.Adam(network.parameters(), adaptation.learning_rate, fused=True)
    noise_generator = torch.Generator(y.device).manual_seed(seed)
    places = torch.Generator().manual_seed(seed)
    for step in range(adaptation.iterations):
        rows, columns = (_span(length, adaptation.crop_px, places) for length in y.shape[2:])
        crop, known, tones = (image[..., rows, columns] for image in (y, observed, clean))
        drawn_noise = noise.drawn(tones, noise_generator)
        loss = recorrupted_loss(network, crop, known, drawn_noise, adaptation.recorruption, precision)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        kept = min(adaptation.average, (step + 1) / (step + 2))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - kept)
        if tell is not None:
            tell((step + 1) / adaptation.iterations)
    return average


def _span(length_px: int, longest_px: int, places: torch.Generator) -> slice:
    """A part of a side: all of it, or as much as an iteration looks at, somewhere."""
    if length_px <= longest_px:
        return slice(0, length_px)
    start = int(torch.randint(0, length_px - longest_px + 1, (), generator=places))
    return slice(start, start + longest_px)
