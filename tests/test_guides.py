"""Fits whose network draws from a second image of the same scene, as from a flash photograph."""

import numpy as np
import pytest
import torch
from PIL import Image

from dip.configuration import Configuration, Variation
from dip.methods import optimization
from dip.methods.base import Context
from dip.operators.measurement import measured
from dip.storage import Location
from tests.conftest import photograph
from tests.one_image import run

FLASH = Configuration("denoise", preset="paper-flash", variation=Variation(width=32), max_iterations=150)


def write_pair(folder):
    """A dark and noisy photograph, and a bright one of other colours; the clean dark one, (H, W, 3)."""
    bright = np.asarray(photograph("coffee", 48), float)
    dark = bright[..., ::-1] / 2
    noise = np.random.default_rng(0).normal(0, 25, dark.shape)
    for place, values in (("in", dark + noise), ("flash", bright)):
        (folder / place).mkdir()
        Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).save(folder / place / "a.png")
    return dark


def error_of(path, clean):
    return np.square(np.asarray(Image.open(path), float) - clean).mean()


@pytest.mark.fit
def test_network_draws_from_the_guide(tmp_path):
    dark = write_pair(tmp_path)
    guides = Location(str(tmp_path / "flash"))
    guided = run(tmp_path, "a.png", FLASH, "guided", guides=guides)
    assert guided["status"] == "restored", guided["error_message"]
    photograph("camera", 48).save(tmp_path / "flash" / "a.png")
    run(tmp_path, "a.png", FLASH, "misled", guides=guides)
    errors = [error_of(tmp_path / name / "a.png", dark) for name in ("guided/images", "misled/images", "in")]
    assert errors[0] < errors[1] / 1.5
    assert errors[0] < errors[2] / 2


def test_guide_that_is_missing_or_of_another_size_fails_its_image(tmp_path):
    write_pair(tmp_path)
    photograph("coffee", 40).save(tmp_path / "flash" / "a.png")
    row = run(tmp_path, "a.png", FLASH, guides=Location(str(tmp_path / "flash")))
    assert (row["status"], row["error_type"]) == ("failed", "ImageError")
    assert "Expected a guide of the image's size, 48×48; got 40×40" in row["error_message"]
    row = run(tmp_path, "a.png", FLASH, guides=Location(str(tmp_path / "none")))
    assert row["status"] == "failed"
    assert "none/a.png; it does not exist" in row["error_message"]


@pytest.mark.parametrize("restarts", [1, 2])
def test_each_tile_draws_from_its_part_of_the_guide(monkeypatch, restarts):
    seen = []
    restore = optimization.restore

    def watched(*arguments, guide):
        seen.append(guide)
        return restore(*arguments, guide=guide)

    monkeypatch.setattr(optimization, "restore", watched)
    configuration = Configuration(
        "denoise", preset="paper-flash", max_iterations=1, tile_px=128, restarts=restarts
    )
    y, guide = np.random.default_rng(0).random((2, 3, 70, 192), np.float32)
    context = Context(seed=0, device=torch.device("cpu"))
    optimization.optimize(measured(y, None, configuration, guide), configuration, context)
    whole = torch.from_numpy(guide)[None]
    parts = [whole[..., :128]] * restarts + [whole[..., 64:]] * restarts
    assert [torch.equal(*pair) for pair in zip(seen, parts, strict=True)] == [True] * 2 * restarts
