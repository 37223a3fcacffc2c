"""Damage that is drawn on pictures, its mask, and what looks like it and is none."""

import hashlib

import numpy as np
import pytest

from dip.drawing.damage import KINDS, worn
from dip.drawing.damage.worn import DAMAGE
from dip.drawing.scenery import SCENERY
from dip.education.mask_lessons import draw_mask_lesson

GREY = np.full((3, 96, 96), 0.5, np.float32)
CHECKSUMS = {
    0: "b65747d6234809f8",
    1: "c39e5996f65146a4",
    2: "13cd5d731e4cf866",
    3: "fdf443e7cb7677e2",
    5: "da2ab98955479d01",
    8: "d4cf41ea33c5099a",
}


@pytest.mark.parametrize(("seed", "expected"), CHECKSUMS.items())
def test_a_seed_draws_the_same_damage_on_every_processor(seed, expected):
    made = worn(np.random.default_rng(seed), GREY, pieces=6)
    drawn = np.rint(made.pixels * 255).astype(np.uint8).tobytes() + made.kinds.tobytes()
    assert hashlib.sha256(drawn).hexdigest()[:16] == expected


@pytest.mark.parametrize("draw", DAMAGE, ids=lambda draw: draw.__name__)
def test_damage_of_each_kind_covers_some_of_a_picture_and_not_all(draw):
    layers = [layer for seed in range(8) for layer in draw(np.random.default_rng(seed), 96)]
    assert {layer.kind for layer in layers} <= set(range(len(KINDS) + 1))
    assert all(layer.cover.min() >= 0 and layer.cover.max() <= 1 for layer in layers)
    shares = [float((layer.cover > 0.3).mean()) for layer in layers]
    assert max(shares) > 0
    assert np.mean(shares) < 0.5


@pytest.mark.parametrize("draw", SCENERY, ids=lambda draw: draw.__name__)
def test_things_of_a_scene_change_the_picture_and_keep_its_shape(draw):
    changed = 0
    for seed in range(4):
        made = draw(np.random.default_rng(seed), GREY.copy())
        assert made.shape == GREY.shape
        assert np.isfinite(made).all()
        changed += bool((np.abs(made - GREY) > 0.02).any())
    assert changed >= 2


def test_the_mask_is_where_the_picture_was_changed():
    found = missed = 0
    for seed in range(30):
        made = worn(np.random.default_rng(seed), GREY, pieces=3)
        change = np.abs(made.pixels - GREY).mean(axis=0)
        marked = made.kinds > 0
        if marked.any() and not marked.all():
            found += int(change[marked].mean() > change[~marked & ~made.doubtful].mean())
            missed += 1
    assert found >= 0.9 * missed
    assert missed >= 20


def test_a_print_without_damage_has_an_empty_mask():
    made = worn(np.random.default_rng(0), GREY, pieces=0)
    assert not made.kinds.any()
    assert not made.doubtful.any()


def test_half_of_the_crops_of_lessons_are_undamaged():
    pictures = [np.random.default_rng(0).integers(0, 255, (3, 64, 64), np.uint8)]
    lesson = draw_mask_lesson(np.random.default_rng(1), pictures, batch=60, side_px=48)
    assert lesson.pixels.shape == (60, 3, 48, 48)
    undamaged = (~(lesson.kinds > 0).any(dim=(1, 2))).float().mean()
    assert 0.4 < undamaged < 0.8
