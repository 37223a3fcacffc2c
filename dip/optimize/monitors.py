"""Stop monitors: each follows one optimisation for a stop rule, and remembers the best moment.

Everything stays on the outputs' device, and nothing waits for it until it is asked. What is carried from
one output to the next is changed in place, so that `update` can be recorded once and replayed.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Self

import torch
from torch import Tensor

Signal = Callable[[Tensor, Tensor], Tensor]
"""A scalar on the device, from an output and the average of the outputs, each (1, C, H, W)."""


class StopMonitor:
    """Follows a signal through an optimisation and keeps the average at the best moment so far.

    Attributes:
        signal: its newest value, a scalar.
        answer: (1, C, H, W), the averaged output at the best iteration.
        reason: what is said when the monitor, not the limit of iterations, ends the optimisation.
    """

    def __init__(self, signal_of: Signal | None, reason: str, like: Tensor) -> None:
        self.reason = reason
        self.signal = torch.full((), torch.nan, device=like.device)
        self.answer = torch.zeros_like(like)
        self._signal_of = signal_of
        self._best_iteration = torch.zeros((), dtype=torch.int64, device=like.device)
        self._iteration = torch.zeros((), dtype=torch.int64, device=like.device)

    def update(self, output: Tensor, average: Tensor) -> None:
        """Take the next iteration's output and the average of all outputs, (1, C, H, W) each."""
        self._iteration += 1
        if self._signal_of is not None:
            self.signal = self._signal_of(output, average)
        is_better = self._is_better()
        self._best_iteration.copy_(torch.where(is_better, self._iteration, self._best_iteration))
        self.answer.copy_(torch.where(is_better, average, self.answer))

    def _is_better(self) -> Tensor:
        """Whether the present moment is better than the best so far: without a signal, always."""
        return torch.ones((), dtype=torch.bool, device=self.signal.device)

    @property
    def best_iteration(self) -> int:
        """The iteration `answer` was taken at. Waits for the device."""
        return int(self._best_iteration)

    @property
    def is_done(self) -> bool:
        """Whether the rule has seen enough. Waits for the device."""
        return False


class MinimumMonitor(StopMonitor):
    """Keeps the average at the signal's minimum; done when there was no new one for long enough.

    Args:
        signal_of: the signal.
        reason: what is said when the monitor ends the optimisation.
        like: a tensor of the outputs' shape, on their device.
        warm_up: iterations before the search begins.
        patience: iterations without a new minimum after which it ends.
        tolerance: share of the minimum by which a signal above it still counts as one.
        bounding: a monitor whose best moment bounds the search, if one does.
        bound: the answer is no later than so many times that moment's iteration.
    """

    def __init__(
        self,
        signal_of: Signal,
        reason: str,
        like: Tensor,
        *,
        warm_up: int,
        patience: int,
        tolerance: float = 0.0,
        bounding: StopMonitor | None = None,
        bound: float = float("inf"),
    ) -> None:
        super().__init__(signal_of, reason, like)
        self._warm_up, self._patience, self._tolerance = warm_up, patience, tolerance
        self._bounding, self._bound = bounding, bound
        self._minimum = torch.full((), torch.inf, device=like.device)

    def _is_better(self) -> Tensor:
        is_early = self._iteration <= self._warm_up
        is_eligible = self._is_eligible() & ~is_early
        is_better = is_early | is_eligible & (self.signal < (1 + self._tolerance) * self._minimum)
        lowest = torch.minimum(self.signal, self._minimum)
        self._minimum.copy_(torch.where(is_eligible, lowest, self._minimum))
        return is_better

    def _is_eligible(self) -> Tensor:
        """Whether the present moment can be the answer: with patience left, and within the bound."""
        has_patience = self._iteration - self._best_iteration <= self._patience
        if self._bounding is None:
            return has_patience
        return has_patience & (self._iteration <= self._bound * self._bounding._best_iteration)

    def update(self, output: Tensor, average: Tensor) -> None:
        """Take the next iteration's output and the average of all outputs, (1, C, H, W) each."""
        if self._bounding is not None:
            self._bounding.update(output, average)
        super().update(output, average)

    @property
    def is_done(self) -> bool:
        """Whether the patience is exhausted. Waits for the device."""
        return bool(self._iteration - self._best_iteration >= self._patience)


class ThresholdMonitor(StopMonitor):
    """Keeps the average at the first moment the signal is down to a threshold, and is done then."""

    def __init__(self, signal_of: Signal, reason: str, like: Tensor, *, threshold: float) -> None:
        super().__init__(signal_of, reason, like)
        self._threshold = threshold
        self._is_reached = torch.zeros((), dtype=torch.bool, device=like.device)

    def _is_better(self) -> Tensor:
        is_open = ~self._is_reached
        self._is_reached |= self.signal <= self._threshold
        return is_open

    @property
    def is_done(self) -> bool:
        """Whether the threshold has been reached. Waits for the device."""
        return bool(self._is_reached)


AVERAGE_WEIGHT = 0.99


class OutputTracker:
    """Everything stays on the outputs' device, and nothing here waits for it but `iteration`.

    What is carried from one output to the next is changed in place, so that `update` can be recorded
    once and replayed.

    Attributes:
        output: (1, C, H, W), the newest.
        average: (1, C, H, W), exponential average of the outputs, weight 0.99, without the bias
            towards its start.
        monitors: of the stop rules; the first one decides.
        taken: how many outputs have been taken, a scalar.
    """

    def __init__(self, monitors: Sequence[StopMonitor], first: Tensor) -> None:
        self.output = self.average = first
        self.monitors = list(monitors)
        self._sum = torch.zeros_like(first)
        # What weighs on the start: 0.99 to the power of the outputs taken.
        self._start_weight = torch.ones((), dtype=torch.float64, device=first.device)
        self.taken = torch.zeros((), dtype=torch.int64, device=first.device)

    @property
    def iteration(self) -> int:
        """How many outputs have been taken. Waits for the device."""
        return int(self.taken)

    def update(self, output: Tensor) -> None:
        """Take the next iteration's output, (1, C, H, W), float32."""
        self.taken += 1
        self._start_weight *= AVERAGE_WEIGHT
        self._sum.mul_(AVERAGE_WEIGHT).add_((1 - AVERAGE_WEIGHT) * output)
        self.output = output
        self.average = self._sum / (1 - self._start_weight)
        for monitor in self.monitors:
            monitor.update(output, self.average)

    def snapshot(self) -> Self:
        """The tracker as it is now; later outputs do not change it."""
        return copy.deepcopy(self)
