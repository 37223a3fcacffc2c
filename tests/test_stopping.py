"""Stop rule, averaging, and the loop that uses them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from dip.errors import DivergenceError
from dip.optimize.loop import WINDOW, Schedule, minimize
from dip.optimize.stopping import OutputTracker, VarianceRule

RULE = VarianceRule(forgetting=0.1, tolerance=0, warm_up=10, patience=30)


def outputs_whose_changes_are_smallest_at(iteration, count):
    random = np.random.default_rng(0)
    for i in range(count):
        size = 0.01 + 0.001 * abs(i - iteration)
        yield torch.from_numpy(0.5 + size * random.standard_normal((1, 1, 32, 32))).float()


def test_moving_variance_follows_its_definition():
    outputs = list(outputs_whose_changes_are_smallest_at(20, 40))
    tracker = OutputTracker(RULE, like=outputs[0])
    mean, variance = outputs[0].double(), 0.0
    for i, output in enumerate(outputs):
        tracker.update(output)
        if i:
            change = output.double() - mean
            mean, variance = mean + 0.1 * change, 0.9 * (variance + 0.1 * float((change**2).mean()))
    assert float(tracker._variance) == pytest.approx(variance, rel=1e-4)


def test_rule_stops_its_patience_after_the_minimum_and_keeps_that_average():
    outputs = list(outputs_whose_changes_are_smallest_at(60, 200))
    tracker = OutputTracker(RULE, like=outputs[0])
    averages = []
    for output in outputs:
        tracker.update(output)
        averages.append(tracker.average)
        if tracker.is_past_minimum:
            break
    assert 60 <= tracker.best_iteration <= 80
    assert tracker.iteration == tracker.best_iteration + RULE.patience
    assert torch.equal(tracker.answer, averages[tracker.best_iteration - 1])


def test_far_end_of_a_flat_valley_is_taken():
    outputs = list(outputs_whose_changes_are_smallest_at(60, 200))
    best = []
    for tolerance in (0.0, 0.5):
        tracker = OutputTracker(replace(RULE, tolerance=tolerance), like=outputs[0])
        for output in outputs:
            tracker.update(output)
        best.append(tracker.best_iteration)
    assert best[0] + 5 < best[1] < 150


def test_average_has_no_bias_towards_its_start():
    tracker = OutputTracker(RULE, like=torch.zeros(1, 1, 2, 2))
    for _ in range(5):
        tracker.update(torch.full((1, 1, 2, 2), 0.7))
    torch.testing.assert_close(tracker.average, torch.full((1, 1, 2, 2), 0.7))


class Pixels(nn.Module):
    """The plainest parameterization: a few pixels."""

    def __init__(self):
        super().__init__()
        self.pixels = nn.Parameter(torch.zeros(1, 1, 4, 4))

    def forward(self):
        return self.pixels * 1


def fit(network, loss_of, iterations=200, **options):
    schedule = Schedule(0.01, iterations, VarianceRule())
    return minimize(network.forward, loss_of, network, schedule, **options)


def squared_distance_to_half(output):
    return (output - 0.5).square().mean()


def test_loop_finds_the_minimum_and_reports_a_curve():
    found = fit(
        Pixels(), squared_distance_to_half, psnr_of=lambda x: -squared_distance_to_half(x).log10() * 10
    )
    assert found.iterations == 200
    assert found.stop_reason == "iteration-limit"
    assert [point.iteration for point in found.curve] == [50, 100, 150, 200]
    assert found.curve[0].loss > found.curve[-1].loss
    assert found.curve[0].psnr_db < found.curve[-1].psnr_db


def test_iterations_that_are_no_multiple_of_the_window_are_all_run():
    assert fit(Pixels(), squared_distance_to_half, iterations=WINDOW + 3).iterations == WINDOW + 3


def test_one_bad_window_is_undone_with_weights_and_moments():
    calls = []

    def loss_with_one_nan(output):
        calls.append(1)
        return squared_distance_to_half(output) * (torch.nan if len(calls) == WINDOW + 7 else 1)

    disturbed = fit(Pixels(), loss_with_one_nan)
    undisturbed = fit(Pixels(), squared_distance_to_half)
    assert len(calls) == 200 + WINDOW
    assert torch.equal(disturbed.output, undisturbed.output)
    assert disturbed.curve == undisturbed.curve


def test_three_bad_windows_in_a_row_are_an_error():
    calls = []

    def loss_that_turns_to_nan(output):
        calls.append(1)
        return squared_distance_to_half(output) * (torch.nan if len(calls) > 120 else 1)

    with pytest.raises(DivergenceError, match="three times in a row after iteration 100"):
        fit(Pixels(), loss_that_turns_to_nan)
