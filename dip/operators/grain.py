"""Noise as film and scanners make it: neighbours and channels share it, and mid-tones show it most."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Pixels = NDArray[np.float32]


def white_noise(random: np.random.Generator, shape: tuple[int, ...], shared: float = 0.0) -> Pixels:
    """Gaussian noise of deviation 1, independent from pixel to pixel.

    Args:
        random: where all chance comes from.
        shape: (C, H, W).
        shared: share of the variance that the channels have in common, 0 to 1.

    Returns:
        (C, H, W), float32.

    >>> grey = white_noise(np.random.default_rng(0), (3, 20, 30), shared=1)
    >>> bool((grey[0] == grey[1]).all())
    True
    """
    own = random.standard_normal(shape, dtype=np.float32)
    common = random.standard_normal((1, *shape[1:]), dtype=np.float32)
    return own * np.float32(np.sqrt(1 - shared)) + common * np.float32(np.sqrt(shared))


def correlated(noise: Pixels, size_px: float, sharpened: bool = False) -> Pixels:
    """Noise that neighbours share, with deviation 1.

    Args:
        noise: (C, H, W), white.
        size_px: deviation of the Gaussian that blurs it: half of a grain.
        sharpened: whether the blur is taken from the noise in place of replacing it, as scanners do.

    >>> noise = white_noise(np.random.default_rng(0), (1, 20, 30))
    >>> float(correlated(noise, size_px=0.7).std())
    1.00
    """
    blurred = np.stack([ndimage.gaussian_filter(plane, size_px, mode="reflect") for plane in noise])
    joined = 2 * noise - blurred if sharpened else blurred
    return (joined / max(float(joined.std()), 1e-6)).astype(np.float32)


def by_tones(noise: Pixels, pixels: Pixels) -> Pixels:
    """Noise that is strongest in mid-tones, and weak in black and white, with its deviation kept.

    >>> halves = np.repeat(np.array([[[0.0, 0.5]]], np.float32), 8, axis=2)
    >>> black, grey = np.split(by_tones(np.ones_like(halves), halves), 2, axis=2)
    >>> bool(black.max() < grey.min())
    True
    """
    level = 0.3 + 2.8 * pixels * (1 - pixels)
    mean_square = max(float((level.astype(np.float64) ** 2).mean()), 0.01)
    made: Pixels = (noise * level / np.sqrt(mean_square)).astype(np.float32)
    return made


def film_grain(pixels: Pixels, sigma: float, size_px: float, random: np.random.Generator) -> Pixels:
    """Grain as a scan of film shows it: half of it shared by the channels, most of it in mid-tones.

    Args:
        pixels: (C, H, W) in [0, 1], which it lies on.
        sigma: its standard deviation in 8-bit units.
        size_px: deviation of the blur that makes it.
        random: where all chance comes from.

    Returns:
        (C, H, W), float32, what is to be added.

    >>> grey = np.full((3, 64, 64), 0.5, np.float32)
    >>> 255 * float(film_grain(grey, 10, 0.7, np.random.default_rng(0)).std())
    10.0
    """
    noise = correlated(white_noise(random, pixels.shape, shared=0.5), size_px)
    return by_tones(noise, pixels) * np.float32(sigma / 255)
