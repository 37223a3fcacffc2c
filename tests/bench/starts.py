"""Other ways through a fit than the product's: from a half-size fit, and with steps that grow shorter."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.optimize.fit import restore
from dip.optimize.optimizers import OPTIMIZERS, Muon
from dip.optimize.settings import Settings
from dip.parameterizations.base import Parameterization

COARSE_ITERATIONS = 400
HALVED_EVERY = 400
"""Iterations after which the steps of `falling` are half as long."""


class HandedOn:
    """A parameterization whose networks begin where the one before ended."""

    def __init__(self, shape: Parameterization) -> None:
        self._shape = shape
        self._last: nn.Module | None = None
        self.canvas_px, self.input_shape = shape.canvas_px, shape.input_shape

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> nn.Module:
        """With the weights that the last one has now."""
        fresh = self._shape.network(output_channels, canvas_px)
        if self._last is not None:
            fresh.load_state_dict(self._last.state_dict())
        self._last = fresh
        return fresh


def from_half_size(settings: Settings, noisy: Tensor, device: torch.device) -> Settings:
    """Settings that begin with the weights of a fit to (1, C, H, W) at half its size, which is done here."""
    handed_on = HandedOn(settings.parameterization)
    settings = replace(settings, parameterization=handed_on)
    problem = Problem(F.avg_pool2d(noisy, 2), Identity(), Objective())
    coarse = replace(settings, schedule=replace(settings.schedule, iterations=COARSE_ITERATIONS))
    height_px, width_px = problem.y.shape[2:]
    restore(problem, (height_px, width_px), coarse, 0, device)
    return settings


class Falling(Muon):
    """Muon whose steps grow shorter all the time."""

    def step(self) -> None:
        """Take one step; the next is a little shorter."""
        super().step()
        for group in self.param_groups:
            group["lr"] *= 0.5 ** (1 / HALVED_EVERY)


OPTIMIZERS["muon, falling"] = Falling
