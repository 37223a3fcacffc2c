"""What a fit costs: how long an iteration takes on this machine, and how much memory the whole."""

import time
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.optimize.fit import restore
from dip.optimize.settings import Settings

SIDES_PX = (64, 192)
UNTIMED = {"cpu": 1, "cuda": 10}
"""Iterations at the beginning of a fit; on a GPU they are recorded there."""

TIMED = {"cpu": 10, "cuda": 200}


@dataclass(frozen=True)
class IterationTime:
    """What an iteration takes.

    Attributes:
        fixed_s: seconds, however small the image.
        per_pixel_s: seconds more for each of its pixels.
    """

    fixed_s: float
    per_pixel_s: float

    def of(self, images: int, pixels: int) -> float:
        """Seconds of an iteration on each of so many images, which have so many pixels together."""
        return images * self.fixed_s + pixels * self.per_pixel_s


def iteration_time(settings: Settings, channels: int, device: torch.device) -> IterationTime:
    """The time of an iteration of a fit, from some of two small images.

    Args:
        settings: of the fit.
        channels: of the image, 1 or 3.
        device: where to measure.
    """
    small_px, large_px = SIDES_PX
    small_s, large_s = (_seconds(settings, channels, device, side_px) for side_px in SIDES_PX)
    per_pixel_s = max(0.0, large_s - small_s) / (large_px**2 - small_px**2)
    return IterationTime(max(0.0, small_s - small_px**2 * per_pixel_s), per_pixel_s)


def _seconds(settings: Settings, channels: int, device: torch.device, side_px: int) -> float:
    """Seconds of one iteration on a square image."""
    problem = Problem(torch.zeros(1, channels, side_px, side_px), Identity(), Objective())
    guide = torch.zeros(1, 3, side_px, side_px)

    def seconds(iterations: int) -> float:
        schedule = replace(settings.schedule, iterations=iterations)
        start = time.perf_counter()
        restore(problem, (side_px, side_px), replace(settings, schedule=schedule), 0, device, guide=guide)
        return time.perf_counter() - start

    untimed, timed = UNTIMED[device.type], TIMED[device.type]
    seconds(untimed)  # libraries are loaded, and convolutions compiled
    beginning = seconds(untimed)
    return max(0.0, seconds(untimed + timed) - beginning) / timed


BUDGET_BYTES = int(3.5 * 2**30)
"""What a fit may take: the same everywhere, so that a result does not depend on the machine's memory."""

_PROBE_PX = 128
# Measured as peak resident memory of fits at 256² to 1024², over what the network keeps for its gradient:
# the gradients on their way, and z, its noise, the outputs and their averages.
_OVER_KEPT, _BESIDES = 1.5, 600


@cache
def bytes_per_pixel(settings: Settings, channels: int) -> float:
    """Bytes that a fit takes for each pixel of the canvas, at its peak, within a third or so.

    Counted on a small canvas: what the network keeps between its output and its gradient; in float32,
    whatever precision is wanted, so that a processor without bfloat16 has the same tiles as one with it.

    Args:
        settings: of the fit.
        channels: of the image, 1 or 3.
    """
    kept: dict[int, tuple[Tensor, int]] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = (tensor, storage.nbytes())
        return tensor

    with torch.random.fork_rng(devices=[]):
        canvas_px = settings.parameterization.canvas_px(_PROBE_PX, _PROBE_PX)
        network = settings.parameterization.network(channels, canvas_px)
        z = torch.zeros(1, *settings.parameterization.input_shape(canvas_px))
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            network(z)
    for parameter in network.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    height_px, width_px = canvas_px
    return _OVER_KEPT * sum(size for _, size in kept.values()) / (height_px * width_px) + _BESIDES


def largest_area_px(settings: Settings, channels: int) -> int:
    """Pixels of the largest image that is fitted whole."""
    return int(BUDGET_BYTES / bytes_per_pixel(settings, channels))
