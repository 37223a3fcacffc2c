"""The optimisation loop: fit θ to one measurement, watch the outputs, step back from divergence."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dip.curve import CurvePoint
from dip.errors import DivergenceError
from dip.optimize.stopping import OutputTracker, VarianceRule

WINDOW = 50
FALL = 10**0.5
"""A loss this many times the last window's (PSNR to y fallen by 5 dB) is a divergence."""


@dataclass(frozen=True)
class Schedule:
    """How the optimisation proceeds.

    Attributes:
        learning_rate: of Adam.
        iterations: at most so many.
        rule: when to stop before that.
    """

    learning_rate: float
    iterations: int
    rule: VarianceRule


@dataclass(frozen=True)
class Fit:
    """What an optimisation found.

    Attributes:
        output: (B, C, H, W), float32 in [0, 1], on the CPU.
        iterations: how many were run.
        stop_iteration: the one `output` was taken at.
        stop_reason: what ended the run: `variance-minimum` or `iteration-limit`.
        curve: one point per window of iterations.
    """

    output: Tensor
    iterations: int
    stop_iteration: int
    stop_reason: str
    curve: tuple[CurvePoint, ...]


def minimize(
    forward: Callable[[], Tensor],
    loss_of: Callable[[Tensor], Tensor],
    network: nn.Module,
    schedule: Schedule,
    psnr_of: Callable[[Tensor], Tensor] | None = None,
) -> Fit:
    """Minimise loss_of(forward()) over the network's parameters with Adam.

    The device is waited for once in a window of iterations, never inside one. A window that ends in
    a fall is undone: weights and the optimiser's moments go back to its start.

    Args:
        forward: draws the next output, (B, C, H, W).
        loss_of: E(A x, y) of an output x, a scalar.
        network: θ.
        schedule: learning rate, limit and stop rule.
        psnr_of: PSNR of an output to the reference, for the curve; it never guides the search.

    Raises:
        DivergenceError: three windows in a row fell.
    """
    run = _Run(forward, loss_of, network, schedule)
    curve: list[CurvePoint] = []
    falls = 0
    while True:
        start = run.checkpoint()
        losses = run.advance(min(WINDOW, schedule.iterations - run.tracker.iteration))
        if _has_fallen(losses, curve):
            falls += 1
            run.step_back(start, falls)
            continue
        falls = 0
        tracker = run.tracker
        psnr_db = None if psnr_of is None else float(psnr_of(tracker.average))
        curve.append(CurvePoint(tracker.iteration, float(losses.mean()), psnr_db))
        reason = _stop_reason(tracker, schedule)
        if reason:
            answer = tracker.answer.float().cpu()
            return Fit(answer, tracker.iteration, tracker.best_iteration, reason, tuple(curve))


class _Run:
    """The moving parts of one optimisation."""

    def __init__(
        self,
        forward: Callable[[], Tensor],
        loss_of: Callable[[Tensor], Tensor],
        network: nn.Module,
        schedule: Schedule,
    ) -> None:
        self.forward, self.loss_of, self.network = forward, loss_of, network
        self.optimizer = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate, fused=True)
        with torch.no_grad():
            self.tracker = OutputTracker(schedule.rule, like=forward())

    def advance(self, iterations: int) -> Tensor:
        """Run so many iterations; their losses, (iterations,), still on the device."""
        losses = []
        for _ in range(iterations):
            self.optimizer.zero_grad(set_to_none=True)
            output = self.forward()
            loss = self.loss_of(output)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.tracker.update(output.detach())
            losses.append(loss.detach())
        return torch.stack(losses)

    def checkpoint(self) -> dict[str, Any]:
        return {
            "weights": copy.deepcopy(self.network.state_dict()),
            "moments": copy.deepcopy(self.optimizer.state_dict()),
            "tracker": copy.copy(self.tracker),
        }

    def step_back(self, start: dict[str, Any], falls: int) -> None:
        if falls > 2:
            raise DivergenceError(
                f"Expected the fit to converge; it fell three times in a row after iteration "
                f"{start['tracker'].iteration}. Try another seed or preset for this image."
            )
        self.network.load_state_dict(start["weights"])
        self.optimizer.load_state_dict(start["moments"])
        self.tracker = start["tracker"]
        if falls == 2:
            for group in self.optimizer.param_groups:
                group["lr"] /= 2


def _has_fallen(losses: Tensor, curve: list[CurvePoint]) -> bool:
    last = float(losses[-10:].mean()) if bool(losses.isfinite().all()) else float("nan")
    limit = FALL * curve[-1].loss if curve else float("inf")
    return not last <= limit


def _stop_reason(tracker: OutputTracker, schedule: Schedule) -> str | None:
    if tracker.is_past_minimum:
        return "variance-minimum"
    return "iteration-limit" if tracker.iteration >= schedule.iterations else None
