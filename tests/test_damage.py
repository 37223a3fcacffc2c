"""Which scratches and dust are proposed for repair, and that clean photographs stay as they are."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage import data

from dip.operators.damage import propose_damage
from tests.conftest import PHOTOGRAPHS

OVERSAMPLING = 4


def photograph(name):
    """(C, H, W), float32 in [0, 1]."""
    pixels = np.atleast_3d(getattr(data, name)()).transpose(2, 0, 1)
    return np.ascontiguousarray(pixels, np.float32) / 255


def drawn(size_px, specks, scratches):
    """How far antialiased specks of 2 to 4 px and scratches of 1 to 3 px cover each pixel, (H, W)."""
    random = np.random.default_rng(5)
    height, width = (OVERSAMPLING * side for side in size_px)
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    for _ in range(specks):
        draw.circle(random.uniform((0, 0), (width, height)), OVERSAMPLING * random.uniform(1, 2), fill=255)
    for _ in range(scratches):
        start, turn = random.uniform((0, 0), (width, height)), random.uniform(0, np.pi)
        end = start + OVERSAMPLING * random.uniform(20, 150) * np.array([np.cos(turn), np.sin(turn)])
        draw.line([*start, *end], fill=255, width=round(OVERSAMPLING * random.uniform(1, 3)))
    return np.asarray(canvas.resize(size_px[::-1], Image.Resampling.BOX), np.float32) / 255


def damaged(pixels, level, specks=60, scratches=20):
    """The image under drawn damage, and which pixels are visibly damaged."""
    cover = drawn(pixels.shape[1:], specks, scratches)
    worn = pixels * (1 - cover) + np.float32(level) * cover
    return worn, (cover > 0.5) & (np.abs(worn - pixels).mean(axis=0) > 0.1)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_clean_photographs_are_left_alone(name):
    assert not propose_damage(photograph(name)).any()


@pytest.mark.parametrize("level", [0, 1], ids=["dark", "light"])
@pytest.mark.parametrize("name", ["camera", "astronaut"])
def test_drawn_scratches_and_dust_are_found(name, level):
    worn, visible = damaged(photograph(name), level)
    proposed = propose_damage(worn)
    assert proposed[visible].mean() >= 0.8
    assert proposed.mean() < 0.15


def test_scratches_are_found_in_a_scan_of_any_resolution():
    worn, visible = damaged(photograph("camera"), 1)
    fine, visible = (np.repeat(np.repeat(plane, 3, -1), 3, -2) for plane in (worn, visible))
    assert propose_damage(fine)[visible].mean() >= 0.8


def test_the_soft_border_of_a_scratch_is_covered_too():
    size_px = 200, 200
    worn, _ = damaged(np.full((1, *size_px), 0.4, np.float32), 1)
    assert propose_damage(worn)[drawn(size_px, 60, 20) > 0].mean() > 0.95


def test_what_is_dark_is_left_alone_where_the_damage_is_light():
    worn, _ = damaged(np.full((1, 200, 200), 0.5, np.float32), 1)
    clear = (slice(90, 110), slice(192, 194))
    worn[:, *clear] = 0.1
    assert not propose_damage(worn)[clear].any()


def test_a_scratch_by_itself_is_taken_for_content():
    worn, _ = damaged(photograph("camera"), 1, specks=0, scratches=1)
    assert not propose_damage(worn).any()


def test_a_frame_does_not_make_a_photograph_damaged():
    framed = np.pad(photograph("astronaut"), ((0, 0), (3, 3), (3, 3)), constant_values=1)
    assert not propose_damage(np.pad(framed, ((0, 0), (20, 20), (20, 20)))).any()


@pytest.mark.parametrize("sigma", [0, 5, 25, 60])
def test_noise_is_no_damage(sigma):
    noise = np.random.default_rng(0).standard_normal((3, 256, 256), np.float32) * sigma / 255
    assert not propose_damage(np.clip(0.5 + noise, 0, 1, dtype=np.float32)).any()


@pytest.mark.parametrize("size_px", [(1, 1), (5, 130), (64, 3)])
def test_tiny_images_get_a_mask_of_their_size(size_px):
    proposed = propose_damage(np.random.default_rng(0).random((3, *size_px), np.float32))
    assert proposed.shape == size_px
    assert proposed.dtype == bool


def test_grey_and_rgb_agree():
    grey, _ = damaged(photograph("camera"), 1)
    proposed = propose_damage(grey)
    assert proposed.any()
    assert (propose_damage(np.repeat(grey, 3, axis=0)) != proposed).mean() < 1e-3
