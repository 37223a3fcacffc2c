"""What an evaluation does to its references."""

import numpy as np
import pytest

from dip.config import Configuration, Degradation
from dip.degradations import missing_pixels, shaped_mask, with_gaussian_noise
from dip.errors import ConfigurationError, ImageError
from dip.measurement import simulated


def generator():
    return np.random.default_rng(3)


def test_noise_has_the_level_it_was_asked_for():
    flat = np.full((3, 128, 128), 0.5, np.float32)
    noise = with_gaussian_noise(flat, 25, generator(), clip=False) - flat
    assert noise.std() * 255 == pytest.approx(25, rel=0.01)
    assert abs(noise.mean() * 255) < 0.3


def test_noise_leaves_the_range_unless_it_is_clipped():
    black = np.zeros((1, 32, 32), np.float32)
    assert with_gaussian_noise(black, 25, generator(), clip=False).min() < 0
    assert with_gaussian_noise(black, 25, generator(), clip=True).min() == 0


def test_share_of_missing_pixels_is_the_one_asked_for():
    observed = missing_pixels((200, 300), 0.3, generator())
    assert set(np.unique(observed)) == {0, 1}
    assert 1 - observed.mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("shape", ["text", "scratches", "box"])
@pytest.mark.parametrize("size_px", [(192, 192), (40, 300)])
def test_shapes_hide_a_part_of_the_image(shape, size_px):
    observed = shaped_mask(shape, size_px, generator())
    assert observed.shape == size_px
    assert set(np.unique(observed)) == {0, 1}
    assert 0.005 < 1 - observed.mean() < 0.5


@pytest.mark.parametrize("shape", ["text", "scratches", "box"])
def test_masks_follow_their_seed(shape):
    first, same, other = (shaped_mask(shape, (96, 96), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_low_resolution_is_what_the_operator_makes_in_eight_bits():
    reference = np.random.default_rng(0).random((3, 33, 46), np.float32)
    asked = Configuration("super-resolution", scale=4, degradation=Degradation())
    measurement = simulated(reference, asked, Degradation(), seed=0)
    assert measurement.reference.shape == (3, 32, 44)
    assert measurement.y.shape == (3, 8, 11)
    assert measurement.seen.shape == (3, 32, 44)
    np.testing.assert_allclose(measurement.y * 255, np.rint(measurement.y * 255), atol=1e-4)


def test_reference_below_the_scale_factor_is_refused():
    asked = Configuration("super-resolution", scale=8, degradation=Degradation())
    with pytest.raises(ImageError, match="at least 8×8 pixels to evaluate ×8; got 30×7"):
        simulated(np.zeros((1, 7, 30), np.float32), asked, Degradation(), seed=0)


def test_inpainting_has_to_say_what_is_missing():
    with pytest.raises(ConfigurationError, match="either a share of the pixels"):
        Configuration("inpaint", degradation=Degradation())
