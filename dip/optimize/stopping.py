"""When to stop without a reference, and which output is the answer.

A rule is a value. For one optimisation it makes a monitor.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from dip.objective import Problem
from dip.optimize.monitors import MinimumMonitor, StopMonitor, ThresholdMonitor


class StopRule(Protocol):
    """When to stop, as a value: a frozen dataclass.

    Attributes:
        name: what the results call it.
    """

    name: ClassVar[str]

    def held_out(self, observed: int) -> int:
        """How many of so many observed pixels the rule wants kept out of E."""

    def monitor(self, problem: Problem, like: Tensor) -> StopMonitor:
        """A monitor over one optimisation.

        Args:
            problem: what is minimised.
            like: a tensor of the outputs' shape, on their device.
        """


@dataclass(frozen=True)
class VarianceRule:
    """ES-EMV: stop when the outputs' moving variance has passed its minimum.

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

    name: ClassVar[str] = "variance"
    forgetting: float = 0.02
    tolerance: float = 0.015
    warm_up: int = 100
    patience: int = 1000

    def held_out(self, observed: int) -> int:  # noqa: ARG002 - never any
        """None."""
        return 0

    def monitor(self, problem: Problem, like: Tensor) -> StopMonitor:  # noqa: ARG002 - the outputs tell enough
        """A monitor over one optimisation."""
        return MinimumMonitor(
            MovingVariance(self.forgetting, like),
            "variance-minimum",
            like,
            warm_up=self.warm_up,
            patience=self.patience,
            tolerance=self.tolerance,
        )


class MovingVariance:
    """The signal of ES-EMV: m ← m + α(x − m), v ← (1−α)(v + α‖x − m_old‖²/N)."""

    def __init__(self, forgetting: float, like: Tensor) -> None:
        self._forgetting = forgetting
        self._mean = torch.zeros_like(like)
        self._variance = torch.zeros((), device=like.device)
        self._is_first = torch.ones((), dtype=torch.bool, device=like.device)

    def __call__(self, output: Tensor, average: Tensor) -> Tensor:  # noqa: ARG002 - a signal takes both
        """The variance after the next output, (1, C, H, W)."""
        self._mean.copy_(torch.where(self._is_first, output, self._mean))
        self._is_first.zero_()
        change = output - self._mean
        self._mean += self._forgetting * change
        self._variance += self._forgetting * change.square().mean()
        self._variance *= 1 - self._forgetting
        return self._variance


@dataclass(frozen=True)
class HeldOutRule:
    """Stop when the averaged output's error at pixels that E never saw has passed its minimum.

    Without bias where the noise of pixels is independent. Noise that neighbours share looks like
    structure to held-out pixels: the variance's minimum, which does not care, bounds the search.

    Attributes:
        pixels: how many are held out, where that is between the two shares.
        least_share: of the observed pixels; a large image can spare more than `pixels`.
        most_share: of the observed pixels; a small image cannot spare them.
        bound: the answer is no later than so many times the iteration of the variance's minimum.
        variance: the rule that bounds.
        warm_up: iterations before the search for the minimum begins.
        patience: iterations without a new minimum after which the optimisation stops.

    Source: cross-validation over pixels; cf. Wang et al., TMLR 2023, section 2. The bound is ours.
    """

    name: ClassVar[str] = "held-out"
    pixels: int = 1000
    least_share: float = 0.01
    most_share: float = 0.04
    bound: float = 2.0
    variance: VarianceRule = VarianceRule()
    warm_up: int = 100
    patience: int = 1000

    def held_out(self, observed: int) -> int:
        """How many of so many observed pixels are kept out of E; none of a single one."""
        if observed < 2:
            return 0
        wanted = min(max(self.pixels, self.least_share * observed), self.most_share * observed)
        return max(1, round(wanted))

    def monitor(self, problem: Problem, like: Tensor) -> StopMonitor:
        """A monitor over one optimisation; where nothing could be held out, the variance's rule decides."""
        if problem.held_out is None:
            return self.variance.monitor(problem, like)

        def signal(output: Tensor, average: Tensor) -> Tensor:  # noqa: ARG001 - a signal takes both
            return problem.held_out_error(average)

        return MinimumMonitor(
            signal,
            "held-out-minimum",
            like,
            warm_up=self.warm_up,
            patience=self.patience,
            bounding=self.variance.monitor(problem, like),
            bound=self.bound,
        )


@dataclass(frozen=True)
class NoiseLevelRule:
    """Stop when the averaged output is as close to the measurement as the noise: ‖A x − y‖² / N ≤ σ².

    Attributes:
        sigma: σ of the noise, for values in [0, 1].

    Source: Morozov's discrepancy principle, 1966.
    """

    name: ClassVar[str] = "noise-level"
    sigma: float

    def held_out(self, observed: int) -> int:  # noqa: ARG002 - never any
        """None."""
        return 0

    def monitor(self, problem: Problem, like: Tensor) -> StopMonitor:
        """A monitor over one optimisation."""

        def signal(output: Tensor, average: Tensor) -> Tensor:  # noqa: ARG001 - a signal takes both
            return problem.squared_residual(average)

        return ThresholdMonitor(signal, "noise-level-reached", like, threshold=self.sigma**2)


@dataclass(frozen=True)
class FixedRule:
    """Run all iterations and take the last average."""

    name: ClassVar[str] = "fixed"

    def held_out(self, observed: int) -> int:  # noqa: ARG002 - never any
        """None."""
        return 0

    def monitor(self, problem: Problem, like: Tensor) -> StopMonitor:  # noqa: ARG002 - there is nothing to watch
        """A monitor over one optimisation."""
        return StopMonitor(None, "iteration-limit", like)
