"""A fit that falls, goes back and goes on: what was noted of the intervals that are undone is undone too."""

from dataclasses import replace

import pytest
import torch

from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.optimize.fit import restore
from dip.optimize.loop import INTERVAL, Schedule
from dip.optimize.settings import Settings
from dip.optimize.stopping import FixedRule
from dip.parameterizations.network_input import Ramp
from dip.parameterizations.skip import Skip
from tests.test_studies import SMALL, findings

CPU = torch.device("cpu")


@pytest.fixture
def falling_twice(monkeypatch):
    """Has the second interval of a fit fail, and fail again, so that the first is undone with it."""

    def over(interval):
        calls, loss = [], Problem.loss

        def with_two_nans(problem, image):
            calls.append(1)
            return loss(problem, image) * (
                float("nan") if len(calls) in (interval + 3, 2 * interval + 3) else 1
            )

        monkeypatch.setattr(Problem, "loss", with_two_nans)

    return over


def test_snapshots_of_an_undone_interval_are_taken_again(tmp_path, falling_twice):
    falling_twice(interval=10)
    found = findings(tmp_path, "snapshots", variants=["with-prior"], snapshots=(0, 10, 20))["with-prior"]
    assert [row["iteration"] for row in found.rows["snapshots"]] == [0, 10, 20]


def test_signals_of_an_undone_interval_are_noted_again(tmp_path, falling_twice):
    falling_twice(interval=INTERVAL)
    asked = replace(SMALL, max_iterations=2 * INTERVAL)
    found = findings(tmp_path, "stopping", asked, side_px=16, variants=["one-fit"])["one-fit"]
    noted = [row["iteration"] for row in found.rows["signals"] if row["rule"] == "variance"]
    assert noted == [0, INTERVAL, 2 * INTERVAL]


def test_input_noise_grows_with_the_iterations_that_stand(falling_twice):
    """An iteration that is run once more has the noise that it had."""
    falling_twice(interval=10)
    levels = []

    class Noted(Ramp):
        def at(self, iteration):
            levels.append(float(super().at(iteration)))
            return super().at(iteration)

    schedule = Schedule(0.01, 20, FixedRule(), interval=10)
    problem = Problem(torch.full((1, 1, 16, 16), 0.5), Identity(), Objective())
    restore(problem, (16, 16), Settings(Skip(width=4), Noted(0, 30, 30), schedule), 0, CPU)
    first, second = list(range(1, 11)), list(range(11, 21))
    assert levels == [0, *first, *second, *second, *first, *second]
