"""The optimisation loop: fit θ to one measurement, watch the outputs, step back from divergence."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dip.errors import DivergenceError
from dip.objective import Problem
from dip.optimize.curve import CurvePoint
from dip.optimize.monitors import OutputTracker
from dip.optimize.optimizers import OPTIMIZERS
from dip.optimize.recording import Recorded
from dip.optimize.stopping import StopRule

INTERVAL = 50
FALL = 10**0.5
"""A residual this many times the last interval's (PSNR to y fallen by 5 dB) is a divergence."""

NEGLIGIBLE = 1e-4
"""A residual that grows below this (40 dB) is that of a fit that has converged, and only trembles."""


@dataclass(frozen=True)
class Schedule:
    """How the optimisation proceeds.

    Attributes:
        learning_rate: of the optimizer.
        iterations: at most so many.
        rule: when to stop before that.
        interval: iterations between two looks at losses and signals.
        optimizer: a name in `dip.optimize.optimizers.OPTIMIZERS`.
    """

    learning_rate: float
    iterations: int
    rule: StopRule
    interval: int = INTERVAL
    optimizer: str = "adam"


@dataclass(frozen=True)
class Fit:
    """What an optimisation found.

    Attributes:
        output: (1, C, H, W), float32, on the CPU: the average of the outputs at `stop_iteration`.
        iterations: how many were run.
        stop_iteration: the one `output` was taken at.
        stop_reason: what ended the run: the rule's own reason, or `iteration-limit`.
        curve: one point per interval of iterations.
    """

    output: Tensor
    iterations: int
    stop_iteration: int
    stop_reason: str
    curve: tuple[CurvePoint, ...]


def minimize(
    draw: Callable[[Tensor], Tensor],
    problem: Problem,
    network: nn.Module,
    schedule: Schedule,
    psnr_of: Callable[[Tensor], Tensor] | None = None,
    on_interval: Callable[[OutputTracker], None] | None = None,
    further_rules: Sequence[StopRule] = (),
    generators: Sequence[torch.Generator] = (),
) -> Fit:
    """Minimise the problem's loss over the network's parameters.

    The device is waited for once in an interval of iterations, never inside one. An interval that ends in
    a fall is undone: weights and the optimiser's moments go back to its start. If it falls again, the
    fault may lie in the last step before it: they go back one interval more, and steps become half as long.

    Args:
        draw: draws the output of an iteration, whose number it gets as a scalar on the device: 0 before
            the first. On a GPU it is recorded: what it carries from call to call is on the GPU and
            changed in place.
        problem: E, A, y, λ and R.
        network: θ.
        schedule: learning rate, limit and stop rule.
        psnr_of: PSNR of an output to the reference, for the curve; it never guides the search.
        on_interval: is shown the tracker before the first iteration and after every interval. After a fall
            it may be shown iterations again: the later showing is the one that counts.
        further_rules: rules that are watched beside the schedule's own, and decide nothing.
        generators: of the random numbers that `draw` takes, beside torch's own.

    Raises:
        DivergenceError: three intervals in a row fell.
    """
    with closing(_Optimization(draw, problem, network, schedule, further_rules, generators)) as optimization:
        return _followed(optimization, problem, schedule, psnr_of, on_interval or _look_away)


def _followed(
    optimization: "_Optimization",
    problem: Problem,
    schedule: Schedule,
    psnr_of: Callable[[Tensor], Tensor] | None,
    show: Callable[[OutputTracker], None],
) -> Fit:
    """Interval after interval, until the rule or the schedule ends it."""
    curve: list[CurvePoint] = []
    falls = 0
    before = start = optimization.checkpoint(float("inf"))
    show(optimization.tracker)
    while True:
        losses = optimization.advance(
            min(schedule.interval, schedule.iterations - optimization.tracker.iteration)
        )
        residual = float(problem.squared_residual(optimization.tracker.output))
        if not bool(losses.isfinite().all()) or not residual <= start.limit:
            falls += 1
            start = start if falls == 1 else before
            optimization.step_back(start, falls)
            curve = [point for point in curve if point.iteration <= start.tracker.iteration]
            continue
        falls, before = 0, start
        start = optimization.checkpoint(max(FALL * residual, NEGLIGIBLE))
        curve.append(_point(optimization.tracker, losses, psnr_of))
        show(optimization.tracker)
        decider = optimization.tracker.monitors[0]
        if decider.is_done or optimization.tracker.iteration >= schedule.iterations:
            reason = decider.reason if decider.is_done else "iteration-limit"
            answer = decider.answer.float().cpu()
            return Fit(answer, optimization.tracker.iteration, decider.best_iteration, reason, tuple(curve))


@dataclass(frozen=True)
class _Checkpoint:
    """An optimisation between two intervals.

    Attributes:
        limit: a residual above this, at the end of the next interval, is a fall.
    """

    weights: dict[str, Any]
    moments: dict[str, Any]
    tracker: OutputTracker
    limit: float


class _Optimization:
    """The moving parts of one optimisation."""

    def __init__(
        self,
        draw: Callable[[Tensor], Tensor],
        problem: Problem,
        network: nn.Module,
        schedule: Schedule,
        further_rules: Sequence[StopRule],
        generators: Sequence[torch.Generator],
    ) -> None:
        self.draw, self.problem, self.network, self.generators = draw, problem, network, generators
        self.optimizer = OPTIMIZERS[schedule.optimizer](network.parameters(), schedule.learning_rate)
        with torch.no_grad():
            first = draw(torch.zeros((), dtype=torch.int64, device=problem.y.device))
        monitors = [rule.monitor(problem, first) for rule in (schedule.rule, *further_rules)]
        self.tracker = OutputTracker(monitors, first)
        self.loss = first.new_zeros(())
        self.step = self.steps()

    def steps(self) -> Callable[[], None]:
        """What takes the next iteration: on a GPU, from a recording."""
        return Recorded(self.iterate, self.generators) if self.problem.y.is_cuda else self.iterate

    def iterate(self) -> None:
        """One iteration; its loss is kept."""
        self.optimizer.zero_grad(set_to_none=True)
        output = self.draw(self.tracker.taken + 1)
        loss = self.problem.loss(output)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            self.tracker.update(output.detach())
        self.loss = loss.detach()

    def advance(self, iterations: int) -> Tensor:
        """Run so many iterations; their losses, (iterations,), still on the device."""
        losses = []
        for _ in range(iterations):
            self.step()
            losses.append(self.loss.clone())
        return torch.stack(losses)

    def checkpoint(self, limit: float) -> "_Checkpoint":
        return _Checkpoint(
            _cloned(self.network.state_dict()),
            _cloned(self.optimizer.state_dict()),
            self.tracker.snapshot(),
            limit,
        )

    def step_back(self, start: "_Checkpoint", falls: int) -> None:
        """Go on from there; what is kept there stays as it is."""
        if falls > 2:
            raise DivergenceError(
                f"Expected the fit to converge; it fell three times in a row after iteration "
                f"{start.tracker.iteration}. Try another seed or preset for this image."
            )
        self.network.load_state_dict(start.weights)
        self.optimizer.load_state_dict(_cloned(start.moments))
        self.tracker = start.tracker.snapshot()
        self.step = self.steps()
        if falls == 2:
            for group in self.optimizer.param_groups:
                group["lr"] /= 2

    def close(self) -> None:
        """Give back at once what the iterations keep: on a GPU, with a recording, all their memory.

        A step knows its run, and the run its step: by themselves they would wait for a garbage collection.
        """
        if isinstance(self.step, Recorded):
            self.step.close()
        del self.step
        self.optimizer.zero_grad()


def _cloned(state: Any) -> Any:
    """A state with tensors of its own, in an eighth of the time that `copy.deepcopy` takes."""
    if isinstance(state, Tensor):
        return state.clone()
    if isinstance(state, dict):
        return {name: _cloned(part) for name, part in state.items()}
    return [_cloned(part) for part in state] if isinstance(state, list) else state


def _point(tracker: OutputTracker, losses: Tensor, psnr_of: Callable[[Tensor], Tensor] | None) -> CurvePoint:
    signal = float(tracker.monitors[0].signal)
    psnr_db = None if psnr_of is None else float(psnr_of(tracker.average))
    return CurvePoint(tracker.iteration, float(losses.mean()), signal if signal == signal else None, psnr_db)


def _look_away(tracker: OutputTracker) -> None:
    """Where nobody observes."""
