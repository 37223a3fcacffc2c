"""When to stop without a reference, and which output is the answer.

A rule is a value. For one optimisation it makes a watch, which sees every output, keeps everything on
the outputs' device, and never waits for it until it is asked.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import torch
from torch import Tensor

from dip.objective import Problem

Signal = Callable[[Tensor, Tensor], Tensor]
"""A scalar on the device, from an output and the average of the outputs, each (1, C, H, W)."""


class Watch:
    """Follows a signal through an optimisation and keeps the average at the best moment so far.

    Attributes:
        signal: its newest value, a scalar.
        answer: (1, C, H, W), the averaged output at the best iteration.
        reason: what is said when the watch, not the limit of iterations, ends the optimisation.
    """

    def __init__(self, signal_of: Signal | None, reason: str, like: Tensor) -> None:
        self.reason = reason
        self.signal = torch.full((), torch.nan, device=like.device)
        self.answer = torch.zeros_like(like)
        self._signal_of = signal_of
        self._best_iteration = torch.zeros((), dtype=torch.int64, device=like.device)
        self._iteration = 0

    def update(self, output: Tensor, average: Tensor) -> None:
        """Take the next iteration's output and the average of all outputs, (1, C, H, W) each."""
        self._iteration += 1
        if self._signal_of is not None:
            self.signal = self._signal_of(output, average)
        is_better = self._is_better()
        self._best_iteration = torch.where(is_better, self._iteration, self._best_iteration)
        self.answer = torch.where(is_better, average, self.answer)

    def _is_better(self) -> Tensor:
        """Whether the present moment is better than the best so far: without a signal, always."""
        return torch.ones((), dtype=torch.bool, device=self.signal.device)

    def snapshot(self) -> Self:
        """The watch as it is now; later outputs do not change it."""
        same = copy.copy(self)
        same._signal_of = copy.copy(self._signal_of)  # it may remember outputs
        return same

    @property
    def best_iteration(self) -> int:
        """The iteration `answer` was taken at. Waits for the device."""
        return int(self._best_iteration)

    @property
    def is_done(self) -> bool:
        """Whether the rule has seen enough. Waits for the device."""
        return False


class MinimumWatch(Watch):
    """Keeps the average at the signal's minimum; done when there was no new one for long enough."""

    def __init__(
        self,
        signal_of: Signal,
        reason: str,
        like: Tensor,
        *,
        warm_up: int,
        patience: int,
        tolerance: float = 0.0,
    ) -> None:
        super().__init__(signal_of, reason, like)
        self._warm_up, self._patience, self._tolerance = warm_up, patience, tolerance
        self._minimum = torch.full((), torch.inf, device=like.device)

    def _is_better(self) -> Tensor:
        if self._iteration <= self._warm_up:
            return super()._is_better()
        # A minimum that comes after the patience has run out is not this rule's any more.
        in_time = self._iteration - self._best_iteration <= self._patience
        is_better = in_time & (self.signal < (1 + self._tolerance) * self._minimum)
        self._minimum = torch.minimum(self.signal, self._minimum)
        return is_better

    @property
    def is_done(self) -> bool:
        """Whether the patience is exhausted. Waits for the device."""
        return self._iteration - self.best_iteration >= self._patience


class ThresholdWatch(Watch):
    """Keeps the average at the first moment the signal is down to a threshold, and is done then."""

    def __init__(self, signal_of: Signal, reason: str, like: Tensor, *, threshold: float) -> None:
        super().__init__(signal_of, reason, like)
        self._threshold = threshold
        self._is_reached = torch.zeros((), dtype=torch.bool, device=like.device)

    def _is_better(self) -> Tensor:
        is_open = ~self._is_reached
        self._is_reached = self._is_reached | (self.signal <= self._threshold)
        return is_open

    @property
    def is_done(self) -> bool:
        """Whether the threshold has been reached. Waits for the device."""
        return bool(self._is_reached)


class StopRule(Protocol):
    """When to stop, as a value: a frozen dataclass.

    Attributes:
        name: what the results call it.
    """

    name: ClassVar[str]

    @property
    def held_out_share(self) -> float:
        """Share of the measurement's pixels that the rule wants kept out of E."""

    def watch(self, problem: Problem, like: Tensor) -> Watch:
        """A watch over one optimisation.

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
    held_out_share: ClassVar[float] = 0.0
    forgetting: float = 0.02
    tolerance: float = 0.015
    warm_up: int = 100
    patience: int = 1000

    def watch(self, problem: Problem, like: Tensor) -> Watch:  # noqa: ARG002 - the outputs tell enough
        """A watch over one optimisation."""
        return MinimumWatch(
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
        self._mean: Tensor | None = None
        self._variance = torch.zeros((), device=like.device)

    def __call__(self, output: Tensor, average: Tensor) -> Tensor:  # noqa: ARG002 - a signal takes both
        """The variance after the next output, (1, C, H, W)."""
        if self._mean is None:
            self._mean = output
        change = output - self._mean
        self._mean = self._mean + self._forgetting * change
        self._variance = (1 - self._forgetting) * (self._variance + self._forgetting * change.square().mean())
        return self._variance


@dataclass(frozen=True)
class HeldOutRule:
    """Stop when the averaged output's error at pixels that E never saw has passed its minimum.

    Without bias where the noise of pixels is independent; wrong for JPEG artifacts, which are not.

    Attributes:
        share: of the measurement's pixels that are held out.
        warm_up: iterations before the search for the minimum begins.
        patience: iterations without a new minimum after which the optimisation stops.

    Source: cross-validation over pixels; cf. Wang et al., TMLR 2023, section 2.
    """

    name: ClassVar[str] = "held-out"
    share: float = 0.03
    warm_up: int = 100
    patience: int = 1000

    @property
    def held_out_share(self) -> float:
        """Share of the pixels kept out of E."""
        return self.share

    def watch(self, problem: Problem, like: Tensor) -> Watch:
        """A watch over one optimisation, whose problem has held-out pixels."""

        def signal(output: Tensor, average: Tensor) -> Tensor:  # noqa: ARG001 - a signal takes both
            return problem.held_out_error(average)

        return MinimumWatch(signal, "held-out-minimum", like, warm_up=self.warm_up, patience=self.patience)


@dataclass(frozen=True)
class NoiseLevelRule:
    """Stop when the averaged output is as far from the measurement as the noise is large.

    Attributes:
        sigma: σ of the noise, for values in [0, 1].
        factor: τ: the rule fires at ‖A x − y‖² / N ≤ τ σ².

    Source: Morozov's discrepancy principle, 1966.
    """

    name: ClassVar[str] = "noise-level"
    held_out_share: ClassVar[float] = 0.0
    sigma: float
    factor: float = 1.0

    def watch(self, problem: Problem, like: Tensor) -> Watch:
        """A watch over one optimisation."""

        def signal(output: Tensor, average: Tensor) -> Tensor:  # noqa: ARG001 - a signal takes both
            return problem.squared_residual(average)

        threshold = self.factor * self.sigma**2
        return ThresholdWatch(signal, "noise-level-reached", like, threshold=threshold)


@dataclass(frozen=True)
class FixedRule:
    """Run all iterations and take the last average."""

    name: ClassVar[str] = "fixed"
    held_out_share: ClassVar[float] = 0.0

    def watch(self, problem: Problem, like: Tensor) -> Watch:  # noqa: ARG002 - there is nothing to watch
        """A watch over one optimisation."""
        return Watch(None, "iteration-limit", like)
