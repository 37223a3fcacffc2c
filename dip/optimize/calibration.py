"""How long an iteration takes on this machine."""

import time
from dataclasses import dataclass, replace

import torch

from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.presets import Settings
from dip.restoration import restore

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
