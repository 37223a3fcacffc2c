"""Follows the outputs of one optimisation: the newest, their average, and the watches of stop rules."""

import copy
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from dip.optimize.watches import Watch

AVERAGE_WEIGHT = 0.99


class OutputTracker:
    """Everything stays on the outputs' device, and nothing here waits for it.

    Attributes:
        iteration: how many outputs have been taken.
        output: (1, C, H, W), the newest.
        average: (1, C, H, W), exponential average of the outputs, weight 0.99, without the bias
            towards its start.
        watches: of the stop rules; the first one decides.
    """

    def __init__(self, watches: Sequence[Watch], first: Tensor) -> None:
        self.iteration = 0
        self.output = self.average = first
        self.watches = list(watches)
        self._sum = torch.zeros_like(first)

    def update(self, output: Tensor) -> None:
        """Take the next iteration's output, (1, C, H, W), float32."""
        self.iteration += 1
        self.output = output
        self._sum = AVERAGE_WEIGHT * self._sum + (1 - AVERAGE_WEIGHT) * output
        self.average = self._sum / (1 - AVERAGE_WEIGHT**self.iteration)
        for watch in self.watches:
            watch.update(output, self.average)

    def snapshot(self) -> Self:
        """The tracker as it is now; later outputs do not change it."""
        same = copy.copy(self)
        same.watches = [watch.snapshot() for watch in self.watches]
        return same
