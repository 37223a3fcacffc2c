"""Restoration without learning, by scikit-image: total variation, non-local means, wavelets, biharmonic.

The denoisers know no noise level: they estimate it from the noisy image. Their parameters were chosen
on three photographs of scikit-image (astronaut, camera, coffee; 384 × 384 pixels each) with Gaussian
noise of σ 15, 25 and 50, by mean PSNR over the nine.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.restoration import (
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
    inpaint_biharmonic,
)

from dip.configuration import Configuration
from dip.errors import ImageError
from dip.images.image import Pixels
from dip.images.noise import LEAST_SIDE_PX, estimate_noise
from dip.methods.base import Context, Restoration
from dip.operators.measurement import Measurement

Denoiser = Callable[[Pixels, float, int | None], NDArray[np.floating]]
"""(C, H, W), or (H, W) if grey; σ; the axis of the channels, None if grey. The shape is kept."""

NO_NOISE = 1e-4
"""σ below which nothing is denoised: a fortieth of an 8-bit level. Weights that follow σ would underflow."""


def tv_chambolle(
    measurement: Measurement,
    configuration: Configuration,  # noqa: ARG001 - the noise is estimated
    context: Context,  # noqa: ARG001 - nothing is drawn
) -> Restoration:
    """Denoise by total variation, each channel by itself, with a weight of 0.8 σ.

    Of the weights 0.5 σ to 1.1 σ this one had the highest mean PSNR.

    Source: Chambolle 2004; `skimage.restoration.denoise_tv_chambolle`.
    """

    def denoise(image: Pixels, sigma: float, channel_axis: int | None) -> NDArray[np.floating]:
        # The default tolerance stops some images early, up to 0.2 dB short.
        denoised: NDArray[np.floating] = denoise_tv_chambolle(  # type: ignore[no-untyped-call]
            image, weight=0.8 * sigma, eps=1e-6, channel_axis=channel_axis
        )
        return denoised

    return _denoised(measurement, denoise)


def non_local_means(
    measurement: Measurement,
    configuration: Configuration,  # noqa: ARG001 - the noise is estimated
    context: Context,  # noqa: ARG001 - nothing is drawn
) -> Restoration:
    """Denoise by averaging similar patches: 5 × 5 pixels, at most 6 pixels apart, with h = 0.6 σ.

    The patches are those of scikit-image's own example. Of h from 0.3 σ to 0.8 σ this one had the
    highest mean PSNR.

    Source: Buades, Coll, Morel 2011; `skimage.restoration.denoise_nl_means` in its fast mode.
    """

    def denoise(image: Pixels, sigma: float, channel_axis: int | None) -> NDArray[np.floating]:
        denoised: NDArray[np.floating] = denoise_nl_means(
            image, patch_size=5, patch_distance=6, h=0.6 * sigma, sigma=sigma, channel_axis=channel_axis
        )
        return denoised

    return _denoised(measurement, denoise)


def wavelet(
    measurement: Measurement,
    configuration: Configuration,  # noqa: ARG001 - the noise is estimated
    context: Context,  # noqa: ARG001 - nothing is drawn
) -> Restoration:
    """Denoise by soft BayesShrink thresholds on db2 wavelets, colour in YCbCr.

    With scikit-image's own number of levels db2 had the highest mean PSNR of db1, db2, db4, sym4 and sym8.

    Source: Chang, Yu, Vetterli 2000; `skimage.restoration.denoise_wavelet`.
    """

    def denoise(image: Pixels, sigma: float, channel_axis: int | None) -> NDArray[np.floating]:
        denoised: NDArray[np.floating] = denoise_wavelet(
            image,
            sigma=sigma,
            wavelet="db2",
            mode="soft",
            method="BayesShrink",
            convert2ycbcr=channel_axis is not None,
            rescale_sigma=True,  # else σ stays that of RGB when the image goes to YCbCr
            channel_axis=channel_axis,
        )
        return denoised

    return _denoised(measurement, denoise)


def biharmonic(
    measurement: Measurement,
    configuration: Configuration,  # noqa: ARG001 - there is one way to do it
    context: Context,  # noqa: ARG001 - nothing is drawn
) -> Restoration:
    """Fill holes with the biharmonic function that continues their surroundings.

    One sparse system over all missing pixels is solved, in float64: time and memory grow with their
    number, 10 s for 90 % of 512 × 512. Observed pixels stay as they are.

    Raises:
        ImageError: no pixel is observed.

    Source: Damelin, Hoang 2018; `skimage.restoration.inpaint_biharmonic`.
    """
    if measurement.observed is None or not measurement.observed.any():
        raise ImageError(
            "Expected an image with observed pixels to continue into the holes; got none. "
            "Check which value of the mask means damage."
        )
    filled: NDArray[np.float64] = inpaint_biharmonic(
        measurement.seen.astype(np.float64), ~measurement.observed, channel_axis=0
    )
    return Restoration(torch.from_numpy(filled).float()[None])


def _denoised(measurement: Measurement, denoise: Denoiser) -> Restoration:
    noisy, estimate = _mirrored(measurement.seen, LEAST_SIDE_PX), measurement.noise_sigma
    sigma = ((estimate_noise(noisy) or 0.0) if estimate is None else estimate) / 255
    if sigma < NO_NOISE:
        return Restoration(torch.from_numpy(measurement.seen)[None])
    is_grey = len(noisy) == 1
    denoised = denoise(noisy[0], sigma, None)[None] if is_grey else denoise(noisy, sigma, 0)
    _, height_px, width_px = measurement.seen.shape
    return Restoration(torch.from_numpy(denoised[:, :height_px, :width_px]).float().contiguous()[None])


def _mirrored(image: Pixels, smallest_side_px: int) -> Pixels:
    """The image, continued by its mirror image below and to the right where a side is too small."""
    lacking = (max(0, smallest_side_px - side) for side in image.shape[1:])
    return np.pad(image, ((0, 0), *((0, pixels) for pixels in lacking)), mode="symmetric")
