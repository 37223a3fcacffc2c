"""Images that are fitted in tiles, and how large an image may be to be fitted whole."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from dip.configuration import Configuration, Variation
from dip.methods import optimization
from dip.methods.base import Context
from dip.methods.presets import PRESETS
from dip.operators.measurement import measured
from dip.optimize.cost import BUDGET_BYTES, bytes_per_pixel, largest_area_px
from dip.optimize.fit import restore
from tests.conftest import photograph
from tests.one_image import run

TILED = Configuration("denoise", preset="untrained", max_iterations=2, tile_px=128)


def optimized(
    pixels: np.ndarray, configuration: Configuration, observed: np.ndarray | None = None, progress=None
):
    context = Context(seed=0, device=torch.device("cpu"), progress=progress)
    return optimization.optimize(measured(pixels, observed, configuration), configuration, context)


def gradient(height_px: int, width_px: int) -> np.ndarray:
    row = np.linspace(0.2, 0.8, width_px, dtype=np.float32)
    return np.broadcast_to(row, (1, height_px, width_px)).copy()


@pytest.mark.fit
def test_there_is_no_seam(monkeypatch):
    """Two tiles of 128 pixels, 64 shared: at 64 one begins, and at 128 one ends, and the other goes on."""
    tiles = []

    def noting(*arguments, **options):
        fit = restore(*arguments, **options)
        tiles.append(fit.output[0, 0].numpy())
        return fit

    monkeypatch.setattr(optimization, "restore", noting)
    noise = np.random.default_rng(0).normal(0, 25 / 255, (1, 64, 192)).astype(np.float32)
    face = np.asarray(photograph("camera", 192, (0, 0, 512, 512)).crop((0, 40, 192, 104)), np.float32) / 255
    configuration = replace(TILED, max_iterations=150, variation=Variation(dropout=0))
    restored = optimized(face + noise, configuration)
    assert (restored.tiles, restored.tile_px) == (2, 128)
    image, (left, right) = restored.image[0, 0].numpy(), tiles
    cut = np.abs(left[:, 64:] - right[:, :64]).mean()  # the step between tiles that are not blended
    for border, goes_on in ((64, left[:, 63:65]), (128, right[:, 63:65])):
        added_step = np.diff(image[:, border - 1 : border + 1]) - np.diff(goes_on)
        assert np.abs(added_step).mean() < cut / 10
    assert np.mean((image - face) ** 2) < np.mean(noise**2) / 2


def test_image_and_tile_are_fitted_with_the_settings_for_their_size(monkeypatch):
    seen = []

    def noting(problem, size_px, settings, *arguments, **options):
        seen.append((size_px, settings.input_noise.last))
        return restore(problem, size_px, settings, *arguments, **options)

    monkeypatch.setattr(optimization, "restore", noting)
    optimized(gradient(170, 180), replace(TILED, tile_px=256))
    optimized(gradient(64, 192), TILED)
    assert seen == [((170, 180), 0.04), ((64, 128), 0.06), ((64, 128), 0.06)]


def test_image_and_its_tiles_are_fitted_with_the_settings_for_its_noise(monkeypatch):
    seen = []

    def noting(problem, size_px, settings, *arguments, **options):
        seen.append(settings.input_noise.last)
        return restore(problem, size_px, settings, *arguments, **options)

    monkeypatch.setattr(optimization, "restore", noting)
    noise = np.random.default_rng(0).normal(0, 1 / 255, (64, 192)).astype(np.float32)
    noise[:, 128:] *= 0.1  # by itself, the second tile would count as clean
    for sigma in (10, 100):
        optimized(gradient(64, 192) + sigma * noise, TILED)
    assert seen == [0.06, 0.06, 0.1, 0.1]


@pytest.mark.parametrize("task", ["denoise", "super-resolution"])
def test_tiles_make_an_image_of_the_size_asked_for(task):
    configuration = replace(TILED, task=task, scale=3, restarts=2)
    factor = configuration.scale_factor
    restored = optimized(gradient(50, 200 // factor), configuration)
    assert restored.image.shape == restored.deviation.shape == (1, 1, 50 * factor, 200 // factor * factor)
    assert restored.iterations == 2 * 2 * restored.tiles
    assert restored.deviation.max() > 0


def test_image_no_larger_than_a_tile_is_fitted_whole():
    assert optimized(gradient(16, 128), TILED).tiles is None


def test_tile_without_damage_is_not_fitted():
    pixels, observed = gradient(40, 192), np.ones((40, 192), bool)
    observed[:, :10] = 0
    restored = optimized(pixels, replace(TILED, task="inpaint"), observed)
    assert restored.tiles == 1
    assert np.array_equal(restored.image[0, :, :, 128:].numpy(), pixels[:, :, 128:])


def test_tile_that_is_all_damage_fails_the_image():
    observed = np.ones((40, 256), bool)
    observed[:, :140] = 0
    with pytest.raises(optimization.ImageError, match=r"larger tiles \(--tile\)"):
        optimized(gradient(40, 256), replace(TILED, task="inpaint"), observed)


@pytest.mark.parametrize(("task", "factor"), [("denoise", 1), ("super-resolution", 2)])
def test_transparent_tile_is_left_alone(tmp_path, task, factor):
    (tmp_path / "in").mkdir()
    photo = photograph("coffee", 256).crop((0, 0, 256, 40)).convert("RGBA")
    alpha = np.full((40, 256), 255, np.uint8)
    alpha[:, :140] = 0
    photo.putalpha(PillowImage.fromarray(alpha))
    photo.save(tmp_path / "in" / "a.png")
    row = run(tmp_path, "a.png", replace(TILED, task=task, scale=2))
    assert row["status"] == "restored", row["error_message"]
    assert row["tile_px"] == 128
    assert row["tiles"] < 4 * factor**2
    restored = np.asarray(PillowImage.open(tmp_path / "out" / "images" / "a.png"))
    assert restored.shape == (40 * factor, 256 * factor, 4)
    if task == "denoise":
        assert np.array_equal(restored[:, :140], np.asarray(photo)[:, :140])


@pytest.fixture
def little_memory(monkeypatch):
    """Memory for tiles of so many pixels a side, and no more."""

    def limit(side_px: int):
        restore = optimization.restore

        def restore_if_small(problem, size_px, *arguments, **options):
            if max(size_px) > side_px:
                raise torch.OutOfMemoryError("no memory left")
            return restore(problem, size_px, *arguments, **options)

        monkeypatch.setattr(optimization, "restore", restore_if_small)

    return limit


def test_tiles_are_halved_until_they_fit(little_memory):
    little_memory(130)
    restored = optimized(gradient(16, 400), replace(TILED, tile_px=None))
    assert restored.tile_px == 128
    assert restored.image.shape == (1, 1, 16, 400)


def test_no_memory_for_the_smallest_tile_fails_the_image(little_memory):
    little_memory(100)
    with pytest.raises(optimization.ImageTooLargeError, match="128 pixels a side"):
        optimized(gradient(16, 400), TILED)


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("something else")

    monkeypatch.setattr(optimization, "restore", fail)
    with pytest.raises(RuntimeError, match="something else"):
        optimized(gradient(16, 20), TILED)


def test_published_benchmarks_are_fitted_whole():
    """512 × 768 is the largest of them; for D an image twice as wide as that is too large."""
    assert 512 * 768 <= largest_area_px(PRESETS["paper"]["any"], 3) < 1024 * 768
    assert largest_area_px(PRESETS["untrained"]["any"], 3) > 896**2
    assert largest_area_px(PRESETS["untrained"]["inpaint"], 3) > 1024**2


PEAK = """
import re, torch
from dataclasses import replace
from pathlib import Path
from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.methods.presets import PRESETS
from dip.optimize.fit import restore

def peak_bytes():
    # Not getrusage: what it tells of a new process includes the one it was forked from.
    return 1024 * int(re.search("VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

settings = PRESETS["untrained"]["any"]
settings = replace(settings, schedule=replace(settings.schedule, iterations=2))
def fit(side):
    problem = Problem(torch.rand(1, 3, side, side), Identity(), Objective())
    restore(problem, (side, side), settings, 0, torch.device("cpu"))
fit(32)
before = peak_bytes()
fit(512)
print((peak_bytes() - before) / 512**2)
"""


def test_memory_is_what_the_model_says():
    """With bfloat16 a fit takes less."""
    finished = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    ratio = float(finished.stdout) / bytes_per_pixel(PRESETS["untrained"]["any"], 3)
    assert (0.4 if torch.cpu._is_avx512_bf16_supported() else 0.7) < ratio < 1.3
    assert BUDGET_BYTES < 4 * 2**30
