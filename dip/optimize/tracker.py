"""Follows the outputs of one optimisation: the newest, their average, and the watches of stop rules."""

import copy
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from dip.optimize.watches import Watch

AVERAGE_WEIGHT = 0.99


class OutputTracker:
    """Everything stays on the outputs' device, and nothing here waits for it but `iteration`.

    What is carried from one output to the next is changed in place, so that `update` can be recorded
    once and replayed.

    Attributes:
        output: (1, C, H, W), the newest.
        average: (1, C, H, W), exponential average of the outputs, weight 0.99, without the bias
            towards its start.
        watches: of the stop rules; the first one decides.
    """

    def __init__(self, watches: Sequence[Watch], first: Tensor) -> None:
        self.output = self.average = first
        self.watches = list(watches)
        self._sum = torch.zeros_like(first)
        # What weighs on the start: 0.99 to the power of the outputs taken.
        self._start_weight = torch.ones((), dtype=torch.float64, device=first.device)
        self._taken = torch.zeros((), dtype=torch.int64, device=first.device)

    @property
    def iteration(self) -> int:
        """How many outputs have been taken. Waits for the device."""
        return int(self._taken)

    def update(self, output: Tensor) -> None:
        """Take the next iteration's output, (1, C, H, W), float32."""
        self._taken += 1
        self._start_weight *= AVERAGE_WEIGHT
        self._sum.mul_(AVERAGE_WEIGHT).add_((1 - AVERAGE_WEIGHT) * output)
        self.output = output
        self.average = self._sum / (1 - self._start_weight)
        for watch in self.watches:
            watch.update(output, self.average)

    def snapshot(self) -> Self:
        """The tracker as it is now; later outputs do not change it."""
        return copy.deepcopy(self)
