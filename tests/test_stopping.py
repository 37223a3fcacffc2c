"""Stop rules, averaging, and the loop that uses them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dip.errors import ConfigurationError, DivergenceError
from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.operators.mask import Mask
from dip.optimize.loop import INTERVAL, Schedule, minimize
from dip.optimize.monitors import OutputTracker
from dip.optimize.stopping import FixedRule, HeldOutRule, MovingVariance, NoiseLevelRule, VarianceRule
from dip.parameterizations.pixels import FreePixels

RULE = VarianceRule(forgetting=0.1, tolerance=0, warm_up=10, patience=30)
HALF = torch.full((1, 1, 4, 4), 0.5)
PROBLEM = Problem(HALF, Identity(), Objective())


def outputs_whose_changes_are_smallest_at(iteration, count):
    random = np.random.default_rng(0)
    for i in range(count):
        size = 0.01 + 0.001 * abs(i - iteration)
        yield torch.from_numpy(0.5 + size * random.standard_normal((1, 1, 32, 32))).float()


def tracked(outputs, rule, problem=PROBLEM):
    """A tracker that has seen all outputs, and the averages on the way."""
    tracker = OutputTracker([rule.monitor(problem, outputs[0])], outputs[0])
    averages = []
    for output in outputs:
        tracker.update(output)
        averages.append(tracker.average)
    return tracker, averages


def test_moving_variance_follows_its_definition():
    outputs = list(outputs_whose_changes_are_smallest_at(20, 40))
    signal = MovingVariance(0.1, outputs[0])
    mean, variance = outputs[0].double(), 0.0
    for i, output in enumerate(outputs):
        found = signal(output, output)
        if i:
            change = output.double() - mean
            mean, variance = mean + 0.1 * change, 0.9 * (variance + 0.1 * float((change**2).mean()))
    assert float(found) == pytest.approx(variance, rel=1e-4)


def test_variance_rule_is_done_its_patience_after_the_minimum_and_keeps_that_average():
    outputs = list(outputs_whose_changes_are_smallest_at(60, 200))
    tracker, averages = tracked(outputs, RULE)
    best = tracker.monitors[0].best_iteration
    assert 60 <= best <= 80
    assert tracker.monitors[0].is_done
    assert torch.equal(tracker.monitors[0].answer, averages[best - 1])
    assert not tracked(outputs[: best + RULE.patience - 1], RULE)[0].monitors[0].is_done


def test_minimum_that_comes_after_the_patience_has_run_out_is_not_taken():
    outputs = list(outputs_whose_changes_are_smallest_at(60, 200))
    calm = [outputs[-1]] * 100
    assert tracked(outputs + calm, RULE)[0].monitors[0].best_iteration < 100


def test_far_end_of_a_flat_valley_is_taken():
    outputs = list(outputs_whose_changes_are_smallest_at(60, 200))
    best = [
        tracked(outputs, replace(RULE, tolerance=tolerance, patience=200))[0].monitors[0].best_iteration
        for tolerance in (0.0, 0.5)
    ]
    assert best[0] + 5 < best[1] < 150


def test_held_out_rule_keeps_the_average_that_fits_the_pixels_nobody_saw():
    held_out = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    held_out[..., 0, :2] = True
    problem = replace(PROBLEM, held_out=held_out)
    rule = HeldOutRule(warm_up=1, patience=60, bound=1000)
    # The average passes 0.5 on its way from 0 to 1: it fits best in between.
    outputs = [torch.full((1, 1, 4, 4), value) for value in np.linspace(0, 1, 150, dtype=np.float32)]
    tracker, averages = tracked(outputs, rule, problem)
    closest = min(range(150), key=lambda i: abs(float(averages[i].mean()) - 0.5))
    assert tracker.monitors[0].best_iteration == closest + 1


def test_held_out_rule_does_not_run_far_beyond_the_variances_minimum():
    """Noise that neighbours share lets the held-out error fall for ever."""
    held_out = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    held_out[..., 0, :8] = True
    problem = Problem(torch.full((1, 1, 32, 32), 0.5), Identity(), Objective(), held_out)
    outputs = list(outputs_whose_changes_are_smallest_at(60, 300))
    for i, output in enumerate(outputs):
        output[..., 0, :8] = 0.5 + 0.4 * 0.99**i
    variance = replace(RULE, patience=300)
    rule = HeldOutRule(warm_up=1, patience=300, bound=2.0, variance=variance)
    best = tracked(outputs, variance)[0].monitors[0].best_iteration
    assert tracked(outputs, rule, problem)[0].monitors[0].best_iteration == 2 * best
    unbounded = replace(rule, bound=1000)
    assert tracked(outputs, unbounded, problem)[0].monitors[0].best_iteration == 300


@pytest.mark.parametrize(
    ("observed", "held_out"), [(1, 0), (2, 1), (9216, 369), (65536, 1000), (10**6, 10_000)]
)
def test_number_of_held_out_pixels_suits_the_image(observed, held_out):
    assert HeldOutRule().held_out(observed) == held_out


def test_held_out_pixels_are_not_in_the_loss():
    held_out = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    held_out[..., 0, 0] = True
    image = HALF.clone()
    image[..., 0, 0] = 1
    assert float(replace(PROBLEM, held_out=held_out).loss(image)) == 0
    assert float(PROBLEM.loss(image)) > 0
    with pytest.raises(ConfigurationError, match="held-out pixels"):
        PROBLEM.held_out_error(image)


def test_noise_level_rule_stops_where_the_residual_is_as_large_as_the_noise():
    outputs = [torch.full((1, 1, 4, 4), 0.5 + 0.5 * 0.97**i) for i in range(300)]
    tracker, averages = tracked(outputs, NoiseLevelRule(sigma=0.1))
    monitor = tracker.monitors[0]
    assert monitor.is_done
    assert float(PROBLEM.squared_residual(averages[monitor.best_iteration - 1])) <= 0.01
    assert float(PROBLEM.squared_residual(averages[monitor.best_iteration - 2])) > 0.01
    assert torch.equal(monitor.answer, averages[monitor.best_iteration - 1])


def test_noise_level_counts_observed_pixels_alone():
    observed = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    observed[..., :2, :] = True
    half_observed = replace(PROBLEM, operator=Mask(observed), y=HALF * observed)
    assert float(half_observed.squared_residual(HALF + 0.1)) == pytest.approx(0.01)


def test_fixed_rule_takes_the_last_average():
    outputs = list(outputs_whose_changes_are_smallest_at(60, 100))
    tracker, averages = tracked(outputs, FixedRule())
    assert tracker.monitors[0].best_iteration == 100
    assert torch.equal(tracker.monitors[0].answer, averages[-1])
    assert not tracker.monitors[0].is_done


def test_average_has_no_bias_towards_its_start():
    outputs = [torch.full((1, 1, 2, 2), 0.7)] * 5
    torch.testing.assert_close(tracked(outputs, RULE)[0].average, torch.full((1, 1, 2, 2), 0.7))


class Fitting(Problem):
    """A problem whose loss can be disturbed."""

    disturb = staticmethod(lambda loss: loss)

    def loss(self, image):
        return self.disturb(super().loss(image))


def fit(disturb=None, iterations=200, **options):
    torch.manual_seed(0)
    network = FreePixels().network(1, (4, 4))
    problem = Fitting(HALF, Identity(), Objective())
    if disturb is not None:
        object.__setattr__(problem, "disturb", disturb)
    schedule = Schedule(0.01, iterations, VarianceRule())
    return minimize(lambda _: network(torch.zeros(1, 1, 1, 1)), problem, network, schedule, **options)


def test_loop_finds_the_minimum_and_reports_a_curve():
    found = fit(psnr_of=lambda x: -10 * PROBLEM.loss(x).log10())
    assert found.iterations == 200
    assert found.stop_reason == "iteration-limit"
    assert [point.iteration for point in found.curve] == [50, 100, 150, 200]
    assert found.curve[0].loss > found.curve[-1].loss
    assert found.curve[0].psnr_db < found.curve[-1].psnr_db
    assert found.curve[-1].signal > 0


def test_iterations_that_are_no_multiple_of_the_interval_are_all_run():
    assert fit(iterations=INTERVAL + 3).iterations == INTERVAL + 3


def test_observer_sees_the_start_and_every_interval_and_other_rules_decide_nothing():
    seen = []
    found = fit(
        on_interval=lambda t: seen.append((t.iteration, len(t.monitors))), further_rules=[NoiseLevelRule(0.4)]
    )
    assert seen == [(0, 2), (50, 2), (100, 2), (150, 2), (200, 2)]
    assert torch.equal(found.output, fit().output)


def test_one_bad_interval_is_undone_with_weights_and_moments():
    calls = []

    def with_one_nan(loss):
        calls.append(1)
        return loss * (torch.nan if len(calls) == INTERVAL + 7 else 1)

    disturbed, undisturbed = fit(with_one_nan), fit()
    assert len(calls) == 200 + INTERVAL
    assert torch.equal(disturbed.output, undisturbed.output)
    assert disturbed.curve == undisturbed.curve


def test_second_bad_interval_in_a_row_lowers_the_learning_rate_from_the_interval_before():
    calls = []

    def with_two_nans(loss):
        calls.append(1)
        return loss * (torch.nan if len(calls) in (INTERVAL + 7, 2 * INTERVAL + 7) else 1)

    disturbed, undisturbed = fit(with_two_nans), fit()
    assert len(calls) == 200 + 3 * INTERVAL
    assert [point.iteration for point in disturbed.curve] == [50, 100, 150, 200]
    assert disturbed.curve[0].loss > undisturbed.curve[0].loss


def test_three_bad_intervals_in_a_row_are_an_error():
    calls = []

    def turning_to_nan(loss):
        calls.append(1)
        return loss * (torch.nan if len(calls) > 120 else 1)

    with pytest.raises(DivergenceError, match="three times in a row after iteration 50"):
        fit(turning_to_nan)


@pytest.mark.parametrize("factor", [torch.nan, torch.inf, 1e30], ids=str)
def test_a_bad_last_step_of_an_interval_is_undone_with_the_interval(factor):
    """Its loss is sound. It shows in the next interval, and going back to the start of that one is vain."""
    calls = []

    def poisoning(loss):
        calls.append(1)
        return Poison.apply(loss, factor) if len(calls) == 2 * INTERVAL else loss

    disturbed, undisturbed = fit(poisoning), fit()
    assert [point.iteration for point in disturbed.curve] == [50, 100, 150, 200]
    assert disturbed.curve[0] == undisturbed.curve[0]
    assert disturbed.curve[-1].loss < 0.02
    assert bool(disturbed.output.isfinite().all())


class Poison(torch.autograd.Function):
    """A loss with a gradient that ruins the weights."""

    @staticmethod
    def forward(ctx, loss, factor):
        ctx.factor = factor
        return loss.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None


def test_residual_that_grows_by_five_decibels_is_a_fall():
    calls = []

    def pushed_away(loss):
        calls.append(1)
        return -loss if INTERVAL < len(calls) <= 2 * INTERVAL else loss

    disturbed, undisturbed = fit(pushed_away), fit()
    assert len(calls) == 200 + INTERVAL
    assert torch.equal(disturbed.output, undisturbed.output)


def test_trembling_at_the_end_of_a_perfect_fit_is_no_divergence():
    found = fit(iterations=1500)
    assert found.curve[-1].loss < 1e-4
