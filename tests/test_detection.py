"""Which damage is proposed for repair, and that undamaged photographs stay as they are."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage import data

from dip.configuration import Configuration
from dip.detection import Proposal, check_share, pieces_of, probability, proposal, propose_damage
from dip.detection.probability import damage_probability
from dip.detection.proposal import marked
from dip.drawing.damage import worn
from dip.education.calibration import calibrated
from dip.education.mask_lessons import draw_mask_lesson
from dip.errors import MaskError
from tests.conftest import PHOTOGRAPHS
from tests.one_image import run

SIDE_PX = 300
TOUCHING = np.ones((3, 3), bool)


def photograph(name):
    """(C, H, W), float32 in [0, 1]."""
    pixels = np.atleast_3d(getattr(data, name)()).transpose(2, 0, 1)
    return np.ascontiguousarray(pixels, np.float32) / 255


def damaged(name="camera", seed=2**40, pieces=8):
    """The middle of a photograph under drawn damage."""
    pixels = photograph(name)
    top, left = ((length_px - SIDE_PX) // 2 for length_px in pixels.shape[1:])
    square = np.broadcast_to(pixels, (3, *pixels.shape[1:]))[:, top : top + SIDE_PX, left : left + SIDE_PX]
    return worn(np.random.default_rng(seed), square, pieces)


# The rocket's lattice towers are taken for damage: tests/bench has the numbers.
@pytest.mark.parametrize("name", sorted({*PHOTOGRAPHS} - {"rocket"}))
def test_clean_photographs_are_left_alone(name):
    assert not propose_damage(photograph(name)).pieces


def test_drawn_damage_is_found():
    found = there = marked_pixels = right = 0
    for seed in range(4):
        made = damaged(seed=2**41 + seed)
        hidden = (made.kinds > 0) & (made.kinds < 5)
        mask = propose_damage(made.pixels).damaged
        there, found = there + hidden.sum(), found + (hidden & mask).sum()
        near = ndimage.binary_dilation(hidden | made.doubtful, TOUCHING, 3)
        marked_pixels, right = marked_pixels + mask.sum(), right + (mask & near).sum()
    assert found > 0.4 * there
    assert right > 0.7 * marked_pixels


@pytest.mark.parametrize("sigma", [0, 5, 25])
def test_noise_is_no_damage(sigma):
    noise = np.random.default_rng(0).standard_normal((3, 256, 256), np.float32) * sigma / 255
    assert not propose_damage(np.clip(0.5 + noise, 0, 1, dtype=np.float32)).pieces


@pytest.mark.parametrize("size_px", [(1, 1), (5, 130), (64, 3)])
def test_tiny_images_get_a_mask_of_their_size(size_px):
    proposed = propose_damage(np.random.default_rng(0).random((3, *size_px), np.float32))
    assert proposed.damaged.shape == proposed.probability.shape == size_px
    assert proposed.damaged.dtype == bool


def test_grey_and_rgb_agree():
    grey = damaged().pixels.mean(axis=0, keepdims=True)
    assert np.array_equal(damage_probability(grey), damage_probability(np.repeat(grey, 3, axis=0)))


def test_tiles_leave_no_seam(monkeypatch):
    pixels = damaged().pixels
    whole = damage_probability(pixels)
    monkeypatch.setattr(probability, "TILE_PX", 192)
    monkeypatch.setattr(probability, "OVERLAP_PX", 96)
    difference = np.abs(damage_probability(pixels) - whole)
    assert difference.mean() < 0.01
    assert (difference > 0.3).mean() < 0.01


def test_probability_is_how_often_there_is_damage():
    lesson = draw_mask_lesson(np.random.default_rng(2**42), [np.uint8(128 * np.ones((3, 256, 256)))], 24, 160)
    found = np.stack([damage_probability(pixels.numpy()) for pixels in lesson.pixels])
    is_damaged = ((lesson.kinds > 0) & (lesson.kinds < 5)).numpy()
    counted = lesson.weights.numpy() > 0
    likely, unlikely = counted & (found > 0.9), counted & (found < 0.1)
    assert is_damaged[likely].mean() > 0.8
    assert is_damaged[unlikely].mean() < 0.05


def test_calibration_undoes_a_scale():
    generator = torch.Generator().manual_seed(1)
    truth = 2 * torch.randn(20000, generator=generator) - 1
    is_damaged = torch.rand(20000, generator=generator) < torch.sigmoid(truth)
    slope, offset = calibrated(2 * truth + 1, is_damaged)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert offset == pytest.approx(-0.5, abs=0.06)


def test_faint_ends_of_a_piece_are_marked_and_faint_pieces_are_not():
    likelihood = np.zeros((60, 60), np.float32)
    likelihood[10, 5:50] = 0.5
    likelihood[10, 5:45] = 0.95
    likelihood[40, 5:50] = 0.5
    mask, pieces = marked(likelihood, 0.8)
    assert pieces == 1
    assert mask[10, 5:50].all()
    assert not mask[30:].any()


def test_a_few_pixels_are_no_damage():
    likelihood = np.zeros((60, 60), np.float32)
    likelihood[10:12, 10:12] = 1
    assert marked(likelihood, 0.8)[1] == 0


def test_pieces_that_touch_at_a_corner_are_one():
    assert pieces_of(np.eye(4, dtype=bool)) == 1
    assert pieces_of(np.array([[True, False, True]])) == 2


def test_proposal_that_would_repaint_an_image_is_refused():
    damaged_pixels = np.zeros((10, 10), bool)
    damaged_pixels[:, :4] = True
    made = Proposal(damaged_pixels, damaged_pixels.astype(np.float32), 1)
    with pytest.raises(MaskError, match=r"25% of an image at most; the proposal marks 40% \(a\.tif\)"):
        check_share(made, "a.tif")


def test_image_that_is_marked_all_over_fails_and_is_not_repainted(tmp_path, monkeypatch):
    monkeypatch.setattr(proposal, "MOST_SHARE", 1e-4)
    (tmp_path / "in").mkdir()
    planes = np.rint(damaged(seed=2**41 + 2).pixels.transpose(1, 2, 0) * 255).astype(np.uint8)
    Image.fromarray(planes).save(tmp_path / "in" / "worn.png")
    row = run(tmp_path, "worn.png", Configuration("restore"), proposes_masks=True)
    assert (row["status"], row["output_name"]) == ("failed", None)
    assert "a higher --mask-threshold marks less" in row["error_message"]
