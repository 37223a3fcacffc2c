"""The classical methods that stand beside Deep Image Prior."""

import numpy as np
import pytest

from dip.configuration import Configuration
from dip.errors import ConfigurationError, ImageError
from dip.images.noise import estimate_noise
from tests.handmade import astronaut, holes, noisy, psnr, restored

DENOISERS = ("tv-chambolle", "nlm", "wavelet")


def test_none_is_what_is_seen():
    image = noisy(astronaut())
    np.testing.assert_array_equal(restored("none", image), image)


@pytest.mark.parametrize(
    ("method", "channels", "gain_db"),
    [
        ("tv-chambolle", 1, 7.5),
        ("tv-chambolle", 3, 7),
        ("nlm", 1, 7.5),
        ("nlm", 3, 8),
        ("wavelet", 1, 6.5),
        ("wavelet", 3, 6.8),  # without YCbCr it gains 6.3 dB
    ],
)
def test_denoisers_gain_decibels(method, channels, gain_db):
    image = astronaut()[:channels]
    y = noisy(image)
    assert psnr(restored(method, y), image) > psnr(y, image) + gain_db


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_noise_level_is_estimated_from_the_noisy_image(sigma):
    assert estimate_noise(noisy(astronaut(192), sigma)) == pytest.approx(sigma, rel=0.1)


def test_a_flat_channel_has_no_say_in_the_noise_level():
    y = noisy(astronaut())
    y[2] = 0.5
    assert estimate_noise(y) == pytest.approx(estimate_noise(y[:2]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size_px", [(1, 1), (1, 7), (7, 1), (2, 2), (5, 9), (1, 300)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("method", DENOISERS)
def test_denoisers_take_every_size(method, channels, size_px):
    image = np.random.default_rng(0).random((channels, *size_px), dtype=np.float32)
    result = restored(method, image)
    assert result.shape == image.shape
    assert np.isfinite(result).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", DENOISERS)
def test_denoisers_leave_an_image_without_noise_alone(method):
    ramp = np.broadcast_to(np.linspace(0, 1, 32, dtype=np.float32), (3, 32, 32)).copy()
    np.testing.assert_allclose(restored(method, ramp), ramp, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_biharmonic_fills_holes_and_keeps_the_rest(channels):
    image = astronaut()[:channels]
    observed = holes(image.shape[1:])
    filled = restored("biharmonic", image * observed, observed, task="inpaint")
    np.testing.assert_allclose(filled * observed, image * observed, atol=1e-6)
    assert psnr(filled, image) > 31


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size_px", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5)])
def test_biharmonic_takes_every_size(size_px):
    image = np.random.default_rng(0).random((3, *size_px), dtype=np.float32)
    observed = holes(size_px)
    filled = restored("biharmonic", image * observed, observed, task="inpaint")
    assert filled.shape == image.shape
    assert np.isfinite(filled).all()


def test_biharmonic_needs_an_observed_pixel():
    with pytest.raises(ImageError, match="observed pixels"):
        restored("biharmonic", np.zeros((3, 8, 8), np.float32), np.zeros((8, 8), np.float32), task="inpaint")


@pytest.mark.parametrize(
    ("method", "task"),
    [
        *((method, "inpaint") for method in DENOISERS),
        *((method, "super-resolution") for method in DENOISERS),
        ("biharmonic", "denoise"),
        ("biharmonic", "super-resolution"),
    ],
)
def test_another_task_is_refused(method, task):
    with pytest.raises(ConfigurationError, match=rf"the method {method} with the task .*; got {task}"):
        Configuration(task, method=method)
