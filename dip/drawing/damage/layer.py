"""One piece of damage: how far it covers each pixel, and with what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Plane = NDArray[np.float32]

CRACK, SCRATCH, DUST, LOSS, STAIN = range(1, 6)


@dataclass(frozen=True, eq=False)
class Layer:
    """Something that lies over a picture.

    Attributes:
        kind: CRACK to STAIN, or 0 for a shadow, which is no damage by itself.
        cover: (H, W), float32 in [0, 1].
        colour: (3, 1, 1), float32 in [0, 1].
        darkens: whether it multiplies, as stains do; otherwise it hides.
    """

    kind: int
    cover: Plane
    colour: Pixels
    darkens: bool = False

    def over(self, picture: Pixels) -> Pixels:
        """The picture (3, H, W) under it."""
        shown = picture * self.colour if self.darkens else self.colour
        made: Pixels = picture + (shown - picture) * self.cover
        return made


def paper(rng: np.random.Generator) -> Pixels:
    """The colour of bare paper: white, grey or cream."""
    light = rng.uniform(0.75, 1.0)
    warmth = rng.choice([0.0, rng.uniform(0, 0.2)])
    return np.array([light, light - 0.4 * warmth, light - warmth], np.float32)[:, None, None]


def dirt(rng: np.random.Generator) -> Pixels:
    """The colour of what is dark: black, brown or grey."""
    dark = rng.uniform(0.0, 0.25)
    warmth = rng.choice([0.0, rng.uniform(0, 0.12)])
    return np.array([dark + warmth, dark + 0.4 * warmth, dark], np.float32)[:, None, None]


def light_or_dark(rng: np.random.Generator, light_share: float) -> Pixels:
    """Paper or dirt."""
    return paper(rng) if rng.random() < light_share else dirt(rng)


def shifted(cover: Plane, rows: int, columns: int) -> Plane:
    """A cover moved by whole pixels; what comes in is empty."""
    height, width = cover.shape
    made = np.zeros_like(cover)
    made[max(rows, 0) : height + min(rows, 0), max(columns, 0) : width + min(columns, 0)] = cover[
        max(-rows, 0) : height + min(-rows, 0), max(-columns, 0) : width + min(-columns, 0)
    ]
    return made
