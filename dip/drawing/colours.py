"""Colours: a few that a picture keeps to, and what film, paper and light make of all of them."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of ITU-R BT.601."""


def palette(rng: np.random.Generator, count: int) -> Pixels:
    """Colours that lie near a few of a picture's own.

    Returns:
        (count, 3), float32, about 0 to 1.
    """
    own = int(rng.integers(2, 9))
    lightness = rng.uniform(0, 1, (own, 1))
    tint = rng.uniform(-1, 1, (own, 3))
    tint -= (tint[:, :1] + tint[:, 1:2] + tint[:, 2:]) / 3
    strength = rng.choice([0.05, 0.12, 0.35]) * rng.random((own, 1))
    colours = (lightness + tint * strength)[rng.integers(0, own, count)]
    jitter = rng.uniform(0.02, 0.3)
    shared = rng.uniform(-jitter, jitter, (count, 1))
    apart = rng.uniform(-jitter, jitter, (count, 3)) * rng.choice([0.1, 0.3])
    made: Pixels = np.clip(colours + shared + apart, 0, 1).astype(np.float32)
    return made


def toned(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """The picture as one exposure, paper and age would show it.

    Contrast, brightness and a power change; a quarter becomes grey, a tenth sepia.

    Args:
        rng: where all chance comes from.
        picture: (3, H, W), float32.

    Returns:
        (3, H, W), float32 in [0, 1].
    """
    low, high = rng.uniform(0, 0.15) * rng.integers(0, 2), 1 - rng.uniform(0, 0.2) * rng.integers(0, 2)
    exponent = float(rng.choice([1.0, rng.uniform(0.5, 2.0)]))
    kind = rng.random()
    if kind < 0.35:
        luma = (picture[0] * LUMA[0] + picture[1] * LUMA[1]) + picture[2] * LUMA[2]
        paper = (
            np.ones(3) if kind < 0.25 else np.array([1.0, rng.uniform(0.8, 0.95), rng.uniform(0.55, 0.85)])
        )
        picture = luma[None] * paper.astype(np.float32)[:, None, None]
    shown = np.clip(picture, 0, 1).astype(np.float64) ** exponent
    return (low + (high - low) * shown).astype(np.float32)
