"""How noisy an image is, without a reference."""

import math
import warnings

import numpy as np
from numpy.typing import NDArray

SKIP_BELOW = 0.5
"""σ in 8-bit units under which there is nothing to see: rounding to 8 bits alone is noise of σ 0.29."""

LEAST_SIDE_PX = 8


def estimate_noise(pixels: NDArray[np.float32]) -> float | None:
    """σ of the noise in an image, (C, H, W) in [0, 1], in 8-bit units; None where it is too small, or flat.

    Fine texture counts as noise, so that it is rather too high.

    Source: Donoho, Johnstone 1994, from the finest wavelet coefficients, by scikit-image.
    """
    from skimage.restoration import estimate_sigma  # not needed by those who only import

    if min(pixels.shape[1:]) < LEAST_SIDE_PX:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a few pixels there is no median
        sigma = 255 * float(estimate_sigma(pixels, channel_axis=0, average_sigmas=True))  # type: ignore[no-untyped-call]
    return sigma if math.isfinite(sigma) else None
