"""PSNR and SSIM against scikit-image, protocols against their definitions."""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dip import metrics

RANDOM = np.random.default_rng(0)
REFERENCE = data.astronaut()[100:164, 200:280]
NOISY = np.clip(REFERENCE + RANDOM.normal(0, 20, REFERENCE.shape), 0, 255).round().astype(np.uint8)


def tensor(image):
    return torch.from_numpy(image.transpose(2, 0, 1).copy()) / 255


def test_psnr_equals_scikit_image():
    expected = peak_signal_noise_ratio(REFERENCE, NOISY, data_range=255)
    found, _ = metrics.measure(tensor(NOISY), tensor(REFERENCE), "denoise-rgb")
    assert found == pytest.approx(expected, abs=1e-4)


def test_ssim_equals_scikit_image():
    expected = structural_similarity(
        REFERENCE, NOISY, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert metrics.ssim(tensor(NOISY), tensor(REFERENCE)) == pytest.approx(expected, abs=1e-4)


def test_super_resolution_is_judged_on_shaved_luma():
    y_reference, y_noisy = (rgb2ycbcr(image)[4:-4, 4:-4, 0] for image in (REFERENCE, NOISY))
    expected = peak_signal_noise_ratio(y_reference, y_noisy, data_range=255)
    found, _ = metrics.measure(tensor(NOISY), tensor(REFERENCE), "sr-y-shave", scale=4)
    assert found == pytest.approx(expected, abs=1e-4)


def test_restorations_are_judged_as_eight_bit_images():
    reference = torch.full((1, 16, 16), 100 / 255)
    almost = reference + 0.4 / 255
    assert metrics.measure(almost, reference, "denoise-rgb")[0] == float("inf")
    assert metrics.measure(almost + 1, reference, "denoise-rgb")[0] == pytest.approx(
        20 * np.log10(255 / 155), abs=1e-4
    )


def test_ssim_is_undefined_below_its_window():
    assert metrics.ssim(torch.rand(1, 10, 30), torch.rand(1, 10, 30)) is None


def test_tiny_super_resolution_is_judged_unshaved():
    image = torch.rand(3, 8, 8)
    assert np.isfinite(metrics.measure(image, 1 - image, "sr-y-shave", scale=4)[0])
