"""The engine on small images: quality, repeatability, stop rules, data terms, several runs."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from dip.configuration import Configuration, Degradation, Variation
from dip.methods import optimization
from dip.methods.presets import settings_for
from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.optimize.fit import restore
from tests.conftest import photograph, write_photographs
from tests.handmade import psnr
from tests.one_image import run

CPU = torch.device("cpu")
DENOISE = Configuration("denoise", max_iterations=30, degradation=Degradation(sigma=25))


def noisy(y):
    return Problem(y, Identity(), Objective())


def engine(**options):
    return settings_for(Configuration("denoise", **options))


@pytest.fixture
def two_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.mark.fit
def test_denoising_gains_and_stops_before_it_learns_the_noise(tmp_path):
    (tmp_path / "in").mkdir()
    photograph("coffee", 64).save(tmp_path / "in" / "a.png")
    without_dropout = Variation(dropout=0)  # which learns the noise sooner
    asked = replace(DENOISE, degradation=Degradation(sigma=50), variation=without_dropout, max_iterations=500)
    row = run(tmp_path, "a.png", asked)
    assert row["psnr_db"] > row["psnr_degraded_db"] + 8
    assert row["psnr_db"] > row["psnr_peak_db"] - 1.2
    assert row["curve"][-1]["psnr_db"] < row["psnr_db"] - 1
    assert row["stop_iteration"] < 400


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.usefixtures("two_threads")
def test_same_seed_gives_the_same_output_whatever_ran_before(precision):
    problem = noisy(torch.rand(1, 3, 40, 50))
    asked = replace(engine(max_iterations=12, variation=Variation(dropout=0.1)), precision=precision)
    first = restore(problem, (40, 50), asked, 5, CPU)
    restore(noisy(torch.rand(1, 1, 30, 30)), (30, 30), asked, 6, CPU)
    again = restore(problem, (40, 50), asked, 5, CPU)
    other = restore(problem, (40, 50), asked, 6, CPU)
    assert torch.equal(first.output, again.output)
    assert not torch.equal(first.output, other.output)


@pytest.mark.usefixtures("two_threads")
def test_global_random_state_and_threads_are_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    restore(noisy(torch.full((1, 1, 8, 8), 0.5)), (8, 8), engine(max_iterations=2), 0, CPU)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == 2


@pytest.mark.fit
@pytest.mark.parametrize("task", ["denoise", "super-resolution"])
def test_pixels_without_a_prior_give_back_what_was_measured(tmp_path, task):
    """The lecture's point: without a network in between, the fit is the noise."""
    write_photographs(tmp_path / "in", 1)
    asked = Configuration(
        task,
        method="pixels",
        scale=2,
        protocol="denoise-rgb-clipped" if task == "denoise" else None,
        degradation=Degradation(sigma=25) if task == "denoise" else Degradation(),
    )
    row = run(tmp_path, "photo-00.png", asked)
    assert row["stop_reason"] == "iteration-limit"
    if task == "denoise":
        assert row["psnr_db"] == pytest.approx(row["psnr_degraded_db"], abs=0.1)
    else:
        assert row["psnr_db"] < row["psnr_degraded_db"]


@pytest.mark.fit
def test_total_variation_denoises_pixels(tmp_path):
    write_photographs(tmp_path / "in", 1, 96)
    asked = Configuration("denoise", method="pixels-tv", degradation=Degradation(sigma=25))
    row = run(tmp_path, "photo-00.png", asked)
    assert row["psnr_db"] > row["psnr_degraded_db"] + 3


@pytest.mark.fit
def test_outliers_pull_a_squared_error_and_leave_an_absolute_one(tmp_path):
    write_photographs(tmp_path / "in", 1)
    asked = Configuration("denoise", max_iterations=200, degradation=Degradation(impulse=0.2))
    squared, huber, absolute = (
        run(tmp_path, "photo-00.png", replace(asked, variation=Variation(data_term=name)), output=name)
        for name in ("squared", "huber", "l1")
    )
    assert absolute["psnr_db"] > squared["psnr_db"] + 1
    assert huber["psnr_db"] > squared["psnr_db"] + 1


@pytest.mark.fit
def test_average_of_restarts_is_better_than_they_are_and_their_deviation_is_written(tmp_path, monkeypatch):
    fits = []

    def noting(*arguments, **options):
        fits.append(restore(*arguments, **options))
        return fits[-1]

    monkeypatch.setattr(optimization, "restore", noting)
    write_photographs(tmp_path / "in", 1)
    without_dropout = Variation(dropout=0)  # which is there sooner
    asked = replace(DENOISE, max_iterations=100, variation=without_dropout, restarts=2)
    row = run(tmp_path, "photo-00.png", asked, uncertainty=True)
    reference = np.asarray(photograph("astronaut"), np.float32).transpose(2, 0, 1) / 255
    of_each = [psnr(fit.output[0].numpy(), reference) for fit in fits]
    assert len(of_each) == 2
    assert row["psnr_db"] > np.mean(of_each) + 0.05
    assert row["iterations"] == sum(fit.iterations for fit in fits)
    assert row["variation"] == "dropout=0 restarts=2 max_iterations=100"
    with PillowImage.open(tmp_path / "out" / "uncertainty" / "photo-00.png.tif") as image:
        deviation = np.asarray(image)
    assert deviation.dtype == np.float32
    assert deviation.shape == (48, 48)
    assert 0.001 < deviation.mean() < 0.1


@pytest.mark.fit
@pytest.mark.parametrize("stop", ["variance", "held-out", "noise-level", "fixed"])
def test_row_says_which_rule_stopped_and_why(tmp_path, stop):
    write_photographs(tmp_path / "in", 1)
    level = 60 if stop == "noise-level" else None
    variation = Variation(stop=stop, noise_level=level)
    row = run(tmp_path, "photo-00.png", replace(DENOISE, variation=variation, max_iterations=120))
    assert row["stop_rule"] == stop
    reasons = {"noise-level": "noise-level-reached"}
    assert row["stop_reason"] == reasons.get(stop, "iteration-limit")
    assert 0 < row["stop_iteration"] <= row["iterations"] <= 120


ITERATIONS = {
    "denoise": {"skip": 60, "unet": 100, "resnet": 60, "deep-decoder": 200},
    "inpaint": {"skip": 50, "unet": 50, "resnet": 50, "deep-decoder": 50},
    "super-resolution": {"skip": 100, "unet": 250, "resnet": 400, "deep-decoder": 500},
}
DAMAGE = {
    "denoise": Degradation(sigma=50),
    "inpaint": Degradation(missing=0.5),
    "super-resolution": Degradation(),
}


def disc() -> PillowImage.Image:
    """A picture that is easily told from its damage: even areas, and a sharp border."""
    y, x = np.mgrid[:32, :32]
    inside = (x - 14) ** 2 + (y - 15) ** 2 < 100
    colours = np.where(inside[..., None], (230, 180, 60), (40, 60, 120))
    return PillowImage.fromarray(colours.astype(np.uint8))


@pytest.mark.fit
@pytest.mark.parametrize("network", ["skip", "unet", "resnet", "deep-decoder"])
@pytest.mark.parametrize("task", ["denoise", "inpaint", "super-resolution"])
def test_every_network_restores_every_task_above_its_input(tmp_path, task, network):
    (tmp_path / "in").mkdir()
    disc().save(tmp_path / "in" / "a.png")
    asked = Configuration(
        task,
        variation=Variation(network=network, stop="fixed"),
        max_iterations=ITERATIONS[task][network],
        degradation=DAMAGE[task],
    )
    row = run(tmp_path, "a.png", asked)
    without = run(tmp_path, "a.png", Configuration(task, method="none", degradation=DAMAGE[task]), "none")
    assert row["psnr_db"] > without["psnr_db"] + 0.5
    assert row["psnr_degraded_db"] == pytest.approx(without["psnr_degraded_db"])
