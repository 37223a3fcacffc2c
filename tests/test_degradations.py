"""What an evaluation does to its references."""

import numpy as np
import pytest

from dip.configuration import Configuration, Degradation
from dip.errors import ConfigurationError, ImageError
from dip.operators.simulation import missing_pixels, shaped_mask, simulated, with_noise


def generator():
    return np.random.default_rng(3)


def test_noise_has_the_level_it_was_asked_for():
    flat = np.full((3, 128, 128), 0.5, np.float32)
    noise = with_noise(flat, Degradation(sigma=25), generator()) - flat
    assert noise.std() * 255 == pytest.approx(25, rel=0.01)
    assert abs(noise.mean() * 255) < 0.3


def test_shot_noise_has_the_variance_of_its_photons():
    flat = np.full((1, 200, 200), 0.4, np.float32)
    noisy = with_noise(flat, Degradation(poisson=50), generator())
    assert noisy.mean() == pytest.approx(0.4, rel=0.01)
    assert noisy.var() == pytest.approx(0.4 / 50, rel=0.05)


def test_impulse_noise_replaces_the_share_asked_for_by_extremes():
    flat = np.full((3, 100, 100), 0.4, np.float32)
    noisy = with_noise(flat, Degradation(impulse=0.2), generator())
    assert set(np.unique(noisy)) == {np.float32(0), np.float32(0.4), np.float32(1)}
    assert (noisy != flat).mean() == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_artifacts_are_those_of_a_file(channels):
    reference = np.random.default_rng(0).random((channels, 20, 27), np.float32)
    harsh, mild = (with_noise(reference, Degradation(jpeg=quality), generator()) for quality in (5, 95))
    assert harsh.shape == mild.shape == reference.shape
    assert np.abs(harsh - reference).mean() > np.abs(mild - reference).mean() > 0


@pytest.mark.parametrize("protocol", ["denoise-rgb", "denoise-rgb-clipped"])
def test_noise_leaves_the_range_unless_the_protocol_clips_it(protocol):
    asked = Configuration("denoise", protocol=protocol, degradation=Degradation(sigma=25))
    y = simulated(np.zeros((1, 32, 32), np.float32), asked, asked.degradation, seed=0).y
    assert (y.min() < 0) == (protocol == "denoise-rgb")


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
    with pytest.raises(ImageError, match="at least 8×8 pixels for this evaluation; got 30×7"):
        simulated(np.zeros((1, 7, 30), np.float32), asked, Degradation(), seed=0)


def test_inpainting_has_to_say_what_is_missing():
    with pytest.raises(ConfigurationError, match="either a share of the pixels"):
        Configuration("inpaint", degradation=Degradation())


@pytest.mark.parametrize(
    ("task", "degradation"),
    [
        ("denoise", Degradation()),
        ("denoise", Degradation(sigma=25, missing=0.5)),
        ("denoise", Degradation(sigma=0)),
        ("denoise", Degradation(jpeg=96)),
        ("denoise", Degradation(impulse=1.5)),
        ("denoise", Degradation(poisson=-1)),
        ("inpaint", Degradation(missing=1.0)),
        ("inpaint", Degradation(missing=0.5, mask="box")),
        ("super-resolution", Degradation(missing=0.5, mask="box")),
    ],
    ids=str,
)
def test_damage_that_makes_no_sense_is_refused(task, degradation):
    with pytest.raises(ConfigurationError, match=r"^Expected .*\.$"):
        Configuration(task, degradation=degradation)


def test_protocol_of_the_paper_crops_around_the_centre():
    reference = np.random.default_rng(0).random((3, 70, 100), np.float32)
    asked = Configuration("super-resolution", protocol="dip-paper", degradation=Degradation())
    measurement = simulated(reference, asked, Degradation(), seed=0)
    assert asked.downsampling_kernel == "lanczos3"
    assert np.array_equal(measurement.reference, reference[:, 3:67, 2:98])
    assert measurement.corner_px == (3, 2)
