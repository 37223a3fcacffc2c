"""EXIF's orientation: images are worked on upright, and written the way round their file has them."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

UPRIGHT = 1
# Orientation: whether rows and columns change places, and which of them then run backwards.
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
T = TypeVar("T", bound=np.generic)


def upright(planes: NDArray[T], orientation: int) -> NDArray[T]:
    """Planes, (..., H, W), as the file has them, turned upright."""
    is_transposed, *backwards = _TURNS[orientation]
    turned = np.swapaxes(planes, -2, -1) if is_transposed else planes
    return _flipped(turned, backwards)


def as_stored(planes: NDArray[T], orientation: int) -> NDArray[T]:
    """The inverse of `upright`."""
    is_transposed, *backwards = _TURNS[orientation]
    flipped = _flipped(planes, backwards)
    return np.swapaxes(flipped, -2, -1) if is_transposed else flipped


def known_orientation(value: object) -> int:
    """What a tag says; upright if that is nonsense."""
    return value if isinstance(value, int) and value in _TURNS else UPRIGHT


def _flipped(planes: NDArray[T], backwards: list[bool]) -> NDArray[T]:
    axes = [axis for axis, is_backwards in zip((-2, -1), backwards, strict=True) if is_backwards]
    flipped: NDArray[T] = np.flip(planes, tuple(axes))
    return flipped
