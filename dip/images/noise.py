"""How noisy an image is, without a reference."""

import numpy as np

from dip.images.image import Pixels

SKIP_BELOW = 0.5
"""σ in 8-bit units under which there is nothing to see: rounding to 8 bits alone is noise of σ 0.29."""

LEAST_SIDE_PX = 8
"""What wavelets and patches can work on."""


def estimate_noise(pixels: Pixels) -> float | None:
    """σ of the noise in an image, in 8-bit units; None where it is too small to tell, 0 where it is flat.

    Fine texture counts as noise, so that it is rather too high. A flat channel among others has no say.

    Args:
        pixels: (C, H, W) in [0, 1].

    Source: Donoho, Johnstone 1994, section 4.2, from the finest wavelet coefficients, by scikit-image.

    >>> noise = np.random.default_rng(0).normal(0, 25 / 255, (1, 64, 64))
    >>> 20 < estimate_noise((0.5 + noise).astype(np.float32)) < 30
    True
    """
    from skimage.restoration import estimate_sigma  # not needed by those who only import

    if min(pixels.shape[1:]) < LEAST_SIDE_PX:
        return None
    # Flat channels have no wavelet details, the median of which would be taken.
    textured = [channel for channel in pixels if np.diff(np.diff(channel, axis=0), axis=1).any()]
    sigmas = [estimate_sigma(channel) for channel in textured]  # type: ignore[no-untyped-call]
    return 255 * float(np.mean(sigmas)) if sigmas else 0.0
