"""When to stop without a reference, and which output is the answer."""

from dataclasses import dataclass

import torch
from torch import Tensor

AVERAGE_WEIGHT = 0.99


@dataclass(frozen=True)
class VarianceRule:
    """Settings of ES-EMV: stop when the outputs' moving variance has passed its minimum.

    The network draws structure first and noise late; in between its outputs hardly move. The
    variance of the recent outputs has its minimum there, near the peak of the PSNR.

    Attributes:
        forgetting: α, the weight of the newest output in the moving mean and variance. The published
            0.1 looks back some 10 iterations; on images below 128² the input noise then hides the
            minimum, and the rule fires hundreds of iterations early, at up to 4.8 dB below the peak. 0.02
            looks back about as far as the averaged output that is the answer.
        tolerance: a variance so little above the minimum still counts as the minimum, so that of a flat
            valley the far end is taken: the averaged output still gains there.
        warm_up: iterations before the search for the minimum begins.
        patience: iterations without a new minimum after which the optimisation stops.

    Source: Wang et al., *Early Stopping for Deep Image Prior*, TMLR 2023, algorithm 2 (ES-EMV); the
    tolerance is ours.
    """

    forgetting: float = 0.02
    tolerance: float = 0.015
    warm_up: int = 100
    patience: int = 1000


class OutputTracker:
    """Follows the outputs of one optimisation: their average, their variance, the best snapshot.

    Everything stays on the outputs' device, and nothing here waits for it, until `best_iteration`
    is read.

    Attributes:
        average: (B, C, H, W), exponential average of the outputs, weight 0.99, without the bias
            towards its start.
        answer: (B, C, H, W), the average as it was at the variance's minimum.
    """

    def __init__(self, rule: VarianceRule, like: Tensor) -> None:
        self._rule = rule
        self._iteration = 0
        self._sum = torch.zeros_like(like)
        self._mean = torch.zeros_like(like)
        self._variance = torch.zeros((), device=like.device)
        self._minimum = torch.full((), torch.inf, device=like.device)
        self._best_iteration = torch.zeros((), dtype=torch.int64, device=like.device)
        self.average = torch.zeros_like(like)
        self.answer = torch.zeros_like(like)

    def update(self, output: Tensor) -> None:
        """Take the next iteration's output, (B, C, H, W), float32 in [0, 1]."""
        self._iteration += 1
        self._sum = AVERAGE_WEIGHT * self._sum + (1 - AVERAGE_WEIGHT) * output
        self.average = self._sum / (1 - AVERAGE_WEIGHT**self._iteration)
        self._update_variance(output)
        if self._iteration <= self._rule.warm_up:
            self.answer = self.average
            return
        improved = self._variance < (1 + self._rule.tolerance) * self._minimum
        self._minimum = torch.minimum(self._variance, self._minimum)
        self._best_iteration = torch.where(improved, self._iteration, self._best_iteration)
        self.answer = torch.where(improved, self.average, self.answer)

    def _update_variance(self, output: Tensor) -> None:
        if self._iteration == 1:
            self._mean = output
            return
        alpha = self._rule.forgetting
        change = output - self._mean
        self._mean = self._mean + alpha * change
        self._variance = (1 - alpha) * (self._variance + alpha * change.square().mean())

    @property
    def iteration(self) -> int:
        """How many outputs have been taken."""
        return self._iteration

    @property
    def best_iteration(self) -> int:
        """The iteration `answer` was taken at. Waits for the device."""
        return int(self._best_iteration) or self._iteration

    @property
    def is_past_minimum(self) -> bool:
        """Whether the rule's patience is exhausted. Waits for the device."""
        return self._iteration - self.best_iteration >= self._rule.patience
