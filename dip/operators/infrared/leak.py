"""How much of the picture shines through in infrared: dyes are nearly clear there, but not quite.

Densities add up, so that the logarithm of the infrared is a sum: of a curve of each visible channel's
logarithm, of the lamp's fall towards the borders, and of dust and scratches, which are few.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.images.image import PixelMask, Pixels

Reals = NDArray[np.float64]

DARKEST = 1 / 1000
"""What is darker counts as this: its logarithm is noise."""

KNOTS = 7
"""Of each channel's curve, evenly over its tones."""

STIFF, RIDGE = 0.05, 1e-5
"""How much the bends of a curve are held back, as a share of the samples' say, and how much its slopes are:
channels that are alike share theirs."""

ROUNDS, FIRM = 20, 4.685
"""Rounds of the regression, and from how many deviations on a value has no say (Tukey's biweight)."""

BLURS_PX = (0.0, 0.7, 1.0, 1.4)
"""σ by which the infrared may be softer than the picture: a lens has another focus there."""

LEAST_CONTRAST = 0.5
"""Of the picture and of its leak, as a logarithm: from less, nothing can be told of the film."""


@dataclass(frozen=True)
class Leak:
    """What the visible channels explain of the infrared.

    Attributes:
        knots: (C, K) logarithms of each channel, and at them:
        heights: (C, K) logarithms of the leak. Beyond the knots it stays as at the last one.
        contrast: of the picture as it leaks, as a share of its contrast in visible light; 0 if it is low.
        explained: share of the infrared's variation that the leak explains, 0 to 1.
    """

    knots: Reals
    heights: Reals
    contrast: float
    explained: float

    def of(self, pixels: Pixels) -> Pixels:
        """The logarithm of the leak, (H, W), of pixels, (C, H, W)."""
        leak = np.zeros(pixels.shape[1:], np.float32)
        for channel, knots, heights in zip(pixels, self.knots, self.heights, strict=True):
            leak += np.interp(logarithm(channel), knots, heights).astype(np.float32)
        return leak


def logarithm(values: Pixels) -> Pixels:
    """The natural logarithm of values in [0, 1], those near 0 raised.

    >>> logarithm(np.ones(2, np.float32)).tolist()
    [0.0, 0.0]
    """
    raised: Pixels = np.log(np.maximum(values, np.float32(DARKEST)))
    return raised


def fit_leak(pixels: Pixels, infrared: Pixels, film: PixelMask) -> Leak:
    """Fit the leak where there is film.

    Args:
        pixels: (C, h, w) in [0, 1], coarse: means of blocks, which do not ask for exact alignment.
        infrared: (h, w), likewise.
        film: (h, w), True = film.

    Source: Beaton and Tukey, *The fitting of power series*, 1974, for the weights.

    >>> grey = np.linspace(0.1, 1, 400, dtype=np.float32).reshape(1, 20, 20)
    >>> leak = fit_leak(grey, 0.5 * grey[0] ** 0.4, np.ones((20, 20), bool))
    >>> round(leak.contrast, 2), round(leak.explained, 2)
    (0.4, 1.0)
    """
    seen = logarithm(pixels)[:, film].astype(np.float64)
    target = logarithm(infrared)[film].astype(np.float64)
    knots = np.stack([_knots(channel) for channel in seen])
    curves = np.concatenate([_hats(*each) for each in zip(seen, knots, strict=True)])
    solved = _robust(np.concatenate([curves, _of_the_lamp(film)]), target, len(seen))
    heights = solved[: len(curves)]
    leak = heights @ curves
    leaking, visible, left = _spread(leak), _spread(seen.mean(axis=0)), _spread(target - leak)
    return Leak(
        knots,
        heights.reshape(knots.shape),
        leaking / visible if min(leaking, visible) > LEAST_CONTRAST else 0.0,
        leaking**2 / (leaking**2 + left**2 + 1e-12),
    )


def softened(pixels: Pixels, infrared: Pixels, leak: Leak) -> Pixels:
    """The picture as soft as its infrared, so that edges of the leak go away with it, (C, H, W).

    >>> grey = np.full((1, 8, 8), 0.5, np.float32)
    >>> softened(grey, grey[0], Leak(np.zeros((1, 1)), np.zeros((1, 1)), 0.0, 0.0)).shape
    (1, 8, 8)
    """

    def left(blurred: Pixels) -> float:
        rest = logarithm(infrared) - leak.of(blurred)
        return float(np.abs(rest - ndimage.gaussian_filter(rest, 2.0, mode="nearest")).mean())

    return min((_blurred(pixels, blur_px) for blur_px in BLURS_PX), key=left)


def _blurred(pixels: Pixels, blur_px: float) -> Pixels:
    if not blur_px:
        return pixels
    blurred: Pixels = ndimage.gaussian_filter(pixels, (0, blur_px, blur_px), mode="nearest")
    return blurred


def _knots(channel: Reals) -> Reals:
    """Increasing values over a channel's range."""
    low, high = np.percentile(channel, (0.2, 99.8))
    return np.linspace(low, high + 1e-3, KNOTS)


def _hats(channel: Reals, knots: Reals) -> Reals:
    """(K, N): how much each knot says for each value, for straight lines between them."""
    return np.stack([np.interp(channel, knots, unit) for unit in np.eye(KNOTS)])


def _robust(terms: Reals, target: Reals, channels: int) -> Reals:
    """The weights of terms, (T, N), that sum up to a target, (N,), where it is not out of line.

    Source: Eilers, Marx, *Flexible smoothing with B-splines and penalties*, 1996, for what holds curves back.
    """
    slopes, bends = (np.diff(np.eye(KNOTS), times, axis=0) for times in (1, 2))
    of_one = STIFF * bends.T @ bends + RIDGE * slopes.T @ slopes
    hold = 1e-9 * np.eye(len(terms))
    hold[: channels * KNOTS, : channels * KNOTS] += target.size * np.kron(np.eye(channels), of_one)
    say = np.ones(target.size)
    for _ in range(ROUNDS):
        weighted = terms * say
        solved = np.linalg.solve(weighted @ terms.T + hold, weighted @ target)
        off = target - solved @ terms
        deviation = 1.4826 * np.median(np.abs(off)) + 1e-6
        say = np.maximum(1 - (off / (FIRM * deviation)) ** 2, 0) ** 2
    return np.asarray(solved, np.float64)


def _of_the_lamp(film: PixelMask) -> Reals:
    """What its fall is made of: a constant, slopes and bends, (6, N)."""
    rows, columns = (np.linspace(-1, 1, side) for side in film.shape)
    down, right = (plane[film] for plane in np.meshgrid(rows, columns, indexing="ij"))
    return np.stack([np.ones(down.size), down, right, down**2, right**2, down * right])


def _spread(values: Reals) -> float:
    """From the 5th to the 95th percentile."""
    return float(np.ptp(np.percentile(values, (5, 95))))
