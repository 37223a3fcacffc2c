"""About how long restorations take, told by a few iterations on this machine."""

import time
from collections.abc import Callable, Sequence

import torch

from dip.configuration import Configuration
from dip.methods.educated import start_of
from dip.methods.presets import adaptation_for, settings_for
from dip.methods.scene import LARGEST_WHOLE_PX, OVERLAP_PX, PART_PX, PARTS, TILE_PX
from dip.optimize.adaptation import Adaptation, drawn_by
from dip.optimize.cost import iteration_time
from dip.optimize.device import repeatable_on
from dip.parameterizations.residual_unet import ResidualUNet

SIDE_PX = 192
LOOKS = 5
"""Passes over the sample of an image beside the fit: for the model of its noise, and to judge the result."""


def estimated_seconds(
    configuration: Configuration, pixels: Sequence[int], device: torch.device
) -> tuple[int, float] | None:
    """Iterations at most for each image, and seconds for all; None for a method that does not iterate.

    Args:
        configuration: what is asked for.
        pixels: of each restored image.
        device: where to measure.
    """
    adaptation = adaptation_for(configuration)
    if adaptation is not None:
        return adaptation.iterations, _from_a_start(configuration, adaptation, pixels, device)
    settings = settings_for(configuration)
    if settings is None:
        return None
    iterations = settings.schedule.iterations * configuration.restarts
    seconds = iteration_time(settings, 3, device).of(len(pixels), sum(pixels)) if pixels else 0.0
    return iterations, iterations * seconds


def _from_a_start(
    configuration: Configuration, adaptation: Adaptation, pixels: Sequence[int], device: torch.device
) -> float:
    if not pixels:
        return 0.0
    with repeatable_on(device):
        network = start_of(configuration).network().to(device)
        image = torch.zeros(1, 3, SIDE_PX, SIDE_PX, device=device)
        fitted_s = _per_pixel(lambda: _fitted(network, image), device)
        drawn_s = _per_pixel(lambda: _drawn(network, image), device)
    overlapping = (TILE_PX / (TILE_PX - OVERLAP_PX)) ** 2
    return sum(
        adaptation.iterations * fitted_s * min(count, adaptation.crop_px**2)
        + drawn_s * (overlapping * count + LOOKS * _sampled(count))
        for count in pixels
    )


def _sampled(count: int) -> int:
    return count if count <= LARGEST_WHOLE_PX else (PART_PX * PARTS) ** 2


def _per_pixel(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of some work on an image, for each of its pixels."""
    work()  # libraries are loaded
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - start) / SIDE_PX**2


def _fitted(network: ResidualUNet, image: torch.Tensor) -> None:
    network.zero_grad()
    loss = drawn_by(network, image, torch.ones_like(image[:, :1])).square().mean()
    loss.backward()  # type: ignore[no-untyped-call]


def _drawn(network: ResidualUNet, image: torch.Tensor) -> None:
    with torch.no_grad():
        drawn_by(network, image, torch.ones_like(image[:, :1]))
