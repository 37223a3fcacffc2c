"""Which single lines are taken for creases, and which for content."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage import data

from dip.operators.damage import propose_damage
from dip.operators.damage.creases import find_creases
from tests.conftest import PHOTOGRAPHS

OVERSAMPLING = 4


def grey(name):
    """(H, W), float32 in [0, 1]."""
    return np.atleast_3d(getattr(data, name)()).mean(axis=2, dtype=np.float32) / 255


def line(size_px, degrees, reach=2.0, shift_px=0.0, bend=0.01, width_px=1.5):
    """How far a slightly bent line covers each pixel, (H, W); from border to border if it reaches so far."""
    along = np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    half, t = min(reach / 2, 1) * np.hypot(*size_px) / 2, np.linspace(-1, 1, 100)[:, None]
    middle = np.array(size_px) / 2 + along[::-1] * (1, -1) * (shift_px + 2 * half * bend * (1 - t**2))
    points = OVERSAMPLING * (middle + t * half * along)
    canvas = Image.new("L", tuple(OVERSAMPLING * side for side in size_px[::-1]))
    ImageDraw.Draw(canvas).line(
        [tuple(point[::-1]) for point in points], fill=255, width=round(OVERSAMPLING * width_px)
    )
    return np.asarray(canvas.resize(size_px[::-1], Image.Resampling.BOX), np.float32) / 255


def creased(photograph, cover, contrast=0.2):
    return np.clip(photograph + np.float32(contrast) * cover, 0, 1)


@pytest.mark.parametrize("degrees", [25, 50, 125])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_crease_across_a_photograph_is_found(name, degrees):
    photograph = grey(name)
    cover = line(photograph.shape, degrees)
    found = find_creases(creased(photograph, cover))
    assert found[cover > 0.5].mean() > 0.6
    assert found[cover == 0].mean() < 0.01


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, "brick", "grass", "gravel", "moon", "immunohistochemistry"])
def test_photographs_without_a_crease_have_none(name):
    assert not find_creases(grey(name)).any()


def test_a_crease_that_shows_in_pieces_is_found():
    photograph = grey("astronaut")
    cover = line(photograph.shape, 50)
    cover[150:220] = cover[330:380] = 0
    found = find_creases(creased(photograph, cover))
    assert found[cover > 0.5].mean() > 0.6
    assert not found[160:210].any()


@pytest.mark.parametrize("times", [2, 3])
def test_a_crease_is_found_in_a_scan_of_any_resolution(times):
    photograph = grey("camera")
    cover = line(photograph.shape, 50)
    fine = np.kron(creased(photograph, cover), np.ones((1, times, times), np.float32))
    visible = np.kron(cover > 0.5, np.ones((times, times), bool))
    assert propose_damage(fine)[visible].mean() > 0.6


def test_two_creases_are_found():
    photograph = grey("coffee")
    covers = [line(photograph.shape, degrees) for degrees in (30, 120)]
    found = find_creases(creased(photograph, np.maximum(*covers)))
    assert all(found[cover > 0.5].mean() > 0.6 for cover in covers)


def test_a_line_before_an_even_ground_is_taken_for_content():
    assert not find_creases(creased(np.full((300, 300), 0.5, np.float32), line((300, 300), 40))).any()


def test_a_lit_edge_between_two_grounds_is_taken_for_content():
    rows, columns = np.mgrid[:300, :300] / 300
    below = rows - 0.5 > np.tan(np.radians(40)) * (columns - 0.5)
    grounds = np.where(below, 0.3 + 0.2 * columns, 0.6 - 0.2 * columns).astype(np.float32)
    assert not find_creases(creased(grounds, line((300, 300), 40, bend=0))).any()


def test_many_parallel_lines_are_taken_for_content():
    photograph = grey("astronaut")
    cover = sum(line(photograph.shape, 50, shift_px=shift_px) for shift_px in range(-200, 201, 10))
    assert not find_creases(creased(photograph, cover)).any()


def test_a_short_scratch_is_taken_for_content():
    photograph = grey("camera")
    assert not find_creases(creased(photograph, line(photograph.shape, 50, reach=0.1))).any()


def test_dark_and_upright_lines_are_taken_for_content():
    photograph = grey("camera")
    assert not find_creases(creased(photograph, line(photograph.shape, 50), -0.2)).any()
    assert not find_creases(creased(photograph, line(photograph.shape, 88))).any()
