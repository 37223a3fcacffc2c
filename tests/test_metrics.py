"""PSNR and SSIM against scikit-image, protocols against their definitions."""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dip.configuration import Configuration, Degradation
from dip.evaluation import metrics
from dip.evaluation.scores import Evaluator
from dip.operators.identity import Identity
from dip.operators.mask import Mask
from dip.operators.measurement import Measurement
from dip.operators.simulation import simulated

RANDOM = np.random.default_rng(0)
REFERENCE = data.astronaut()[100:164, 200:280]
NOISY = np.clip(REFERENCE + RANDOM.normal(0, 20, REFERENCE.shape), 0, 255).round().astype(np.uint8)


def tensor(image):
    return torch.from_numpy(image.transpose(2, 0, 1).copy()) / 255


def reading(image, reference, configuration, observed=None, y=None):
    """The readings of an image, (H, W, C) in 8 bits."""
    reference = tensor(reference).numpy()
    y = reference if y is None else y
    operator = Identity() if observed is None else Mask(torch.from_numpy(observed)[None, None])
    measurement = Measurement(y, operator, y.shape[1:], reference, reference=reference)
    return Evaluator(measurement, configuration).readings(tensor(image)[None])[0]


DENOISE = Configuration("denoise")


def test_psnr_equals_scikit_image():
    expected = peak_signal_noise_ratio(REFERENCE, NOISY, data_range=255)
    assert reading(NOISY, REFERENCE, DENOISE).psnr_db == pytest.approx(expected, abs=1e-4)


def test_ssim_equals_scikit_image():
    expected = structural_similarity(
        REFERENCE, NOISY, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert metrics.ssim(tensor(NOISY), tensor(REFERENCE)) == pytest.approx(expected, abs=1e-4)
    assert reading(NOISY, REFERENCE, DENOISE).ssim == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("configuration", "shave_px"),
    [
        (Configuration("super-resolution", scale=8), 8),
        (Configuration("super-resolution", scale=2, protocol="dip-paper"), 4),
    ],
)
def test_super_resolution_is_judged_on_shaved_luma(configuration, shave_px):
    inner = slice(shave_px, -shave_px)
    y_reference, y_noisy = (rgb2ycbcr(image)[inner, inner, 0] for image in (REFERENCE, NOISY))
    expected = peak_signal_noise_ratio(y_reference, y_noisy, data_range=255)
    assert reading(NOISY, REFERENCE, configuration).psnr_db == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("protocol", ["inpaint", "inpaint-pasted", "inpaint-hole"])
def test_masked_images_are_judged_as_the_protocol_reads_them(protocol):
    observed = RANDOM.random(REFERENCE.shape[:2]) > 0.4
    configuration = Configuration("inpaint", protocol=protocol)
    found = reading(NOISY, REFERENCE, configuration, observed, tensor(REFERENCE).numpy() * observed)
    holes = ~observed
    seen = {
        "inpaint": (REFERENCE, NOISY),
        "inpaint-pasted": (REFERENCE, np.where(holes[..., None], NOISY, REFERENCE)),
        "inpaint-hole": (REFERENCE[holes], NOISY[holes]),
    }[protocol]
    assert found.psnr_db == pytest.approx(peak_signal_noise_ratio(*seen, data_range=255), abs=1e-4)
    assert (found.ssim is None) == (protocol == "inpaint-hole")


def test_restorations_are_judged_as_eight_bit_images():
    reference = np.full((16, 16, 1), 100.0)
    assert reading(reference + 0.4, reference, DENOISE).psnr_db == float("inf")
    assert reading(reference + 300, reference, DENOISE).psnr_db == pytest.approx(
        20 * np.log10(255 / 155), abs=1e-4
    )


def test_noise_beyond_the_range_counts_in_what_the_restoration_starts_from():
    asked = Configuration("denoise", degradation=Degradation(sigma=50))
    black = np.zeros((3, 64, 64), np.float32)
    measurement = simulated(black, asked, asked.degradation, seed=0)
    found = Evaluator(measurement, asked).readings(torch.from_numpy(measurement.y)[None])[0]
    assert found.psnr_degraded_db == pytest.approx(-20 * np.log10(50 / 255), abs=0.1)
    assert found.psnr_db == pytest.approx(found.psnr_degraded_db + 3, abs=0.2)


def test_ssim_is_undefined_below_its_window():
    assert metrics.ssim(torch.rand(1, 10, 30), torch.rand(1, 10, 30)) is None


def test_tiny_super_resolution_is_judged_unshaved():
    small = REFERENCE[:8, :8]
    assert np.isfinite(reading(255 - small, small, Configuration("super-resolution", scale=4)).psnr_db)
