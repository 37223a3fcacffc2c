"""A fit that falls, goes back and goes on: what was noted of the windows that are undone is undone too."""

from dataclasses import replace

import pytest

from dip.objective import Problem
from dip.optimize.loop import WINDOW
from tests.test_studies import SMALL, findings


@pytest.fixture
def falling_twice(monkeypatch):
    """Has the second window of a fit fail, and fail again, so that the first is undone with it."""

    def over(window):
        calls, loss = [], Problem.loss

        def with_two_nans(problem, image):
            calls.append(1)
            return loss(problem, image) * (float("nan") if len(calls) in (window + 3, 2 * window + 3) else 1)

        monkeypatch.setattr(Problem, "loss", with_two_nans)

    return over


def test_snapshots_of_an_undone_window_are_taken_again(tmp_path, falling_twice):
    falling_twice(window=10)
    found = findings(tmp_path, "snapshots", variants=["with-prior"], snapshots=(0, 10, 20))["with-prior"]
    assert [row["iteration"] for row in found.rows["snapshots"]] == [0, 10, 20]


def test_signals_of_an_undone_window_are_noted_again(tmp_path, falling_twice):
    falling_twice(window=WINDOW)
    asked = replace(SMALL, max_iterations=2 * WINDOW)
    found = findings(tmp_path, "stopping", asked, side_px=16, variants=["one-fit"])["one-fit"]
    noted = [row["iteration"] for row in found.rows["signals"] if row["rule"] == "variance"]
    assert noted == [0, WINDOW, 2 * WINDOW]
