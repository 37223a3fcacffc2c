"""Antialiased downsampling by an integer factor, as in super-resolution."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dip.operators.base import Acquisition

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kernel:
    """An interpolation kernel: a function of the distance in samples, zero beyond `support`."""

    support: float
    weight: Callable[[Array], Array]


def cubic(distance: Array) -> Array:
    """The cubic convolution kernel with a = −0.5. Source: Keys 1981, equation 15.

    >>> cubic(np.array([0, 0.5, 1, 1.5])).tolist()
    [1.0, 0.5625, 0.0, -0.0625]
    """
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def lanczos(lobes: int) -> Callable[[Array], Array]:
    """The Lanczos kernel, sinc(x) sinc(x / lobes). Source: Duchon 1979.

    >>> lanczos(2)(np.array([0, 0.5, 2])).round(3).tolist()
    [1.0, 0.573, 0.0]
    """

    def weight(distance: Array) -> Array:
        windowed: Array = np.sinc(distance) * np.sinc(distance / lobes)
        return np.where(np.abs(distance) < lobes, windowed, 0.0)

    return weight


def box(distance: Array) -> Array:
    """The mean over an output pixel's own area.

    >>> box(np.array([0, 0.4, 0.6])).tolist()
    [1.0, 1.0, 0.0]
    """
    return np.where(np.abs(distance) < 0.5, 1.0, 0.0)


KERNELS = {
    "box": Kernel(0.5, box),
    "bicubic": Kernel(2, cubic),
    "lanczos2": Kernel(2, lanczos(2)),
    "lanczos3": Kernel(3, lanczos(3)),
}


def downsampling_matrix(length_px: int, factor: int, kernel: str) -> Array:
    """The 1-D operator: (length_px // factor, length_px), float64, rows that sum to 1.

    The kernel is stretched by the factor (antialiasing), pixel centres are aligned, and samples
    beyond an edge are mirrored with the edge pixel repeated. With `bicubic` this is the resize
    that made the public low-resolution files of Set5.

    >>> downsampling_matrix(4, 2, "box").tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    shape = KERNELS[kernel]
    outputs = np.arange(length_px // factor)[:, None]
    centres = (outputs + 0.5) * factor - 0.5
    reach = math.ceil(shape.support * factor)
    taps = np.floor(centres).astype(int) + np.arange(-reach, reach + 1)
    weights = shape.weight((taps - centres) / factor)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((len(outputs), length_px))
    np.add.at(matrix, (np.broadcast_to(outputs, taps.shape), _mirrored(taps, length_px)), weights)
    return matrix


def _mirrored(index: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    folded = index % (2 * length)
    return np.where(folded < length, folded, 2 * length - 1 - folded)


@dataclass(frozen=True, eq=False)
class Downsampling:
    """A = R_h ⊗ R_w: columns and rows are resampled independently.

    Attributes:
        rows: R_h, (h, H), float32.
        columns: R_w, (w, W), float32.

    >>> halving = Downsampling.by(2, "box", height_px=2, width_px=4)
    >>> halving(torch.tensor([[[[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]]]))
    tensor([[[[0.5000, 0.0000]]]])
    """

    observed: ClassVar[None] = None
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, acquisition: Acquisition) -> Self:
        """The operator of a super-resolution."""
        return cls.by(acquisition.scale, acquisition.kernel, *acquisition.size_px)

    @classmethod
    def by(cls, factor: int, kernel: str, height_px: int, width_px: int) -> Self:
        """The operator for images of height_px × width_px, both multiples of the factor.

        Args:
            factor: how many times smaller the measurement is on each side.
            kernel: a name in `KERNELS`.
            height_px: rows of the image.
            width_px: columns of the image.
        """
        matrices = (downsampling_matrix(side, factor, kernel) for side in (height_px, width_px))
        return cls(*(torch.from_numpy(matrix).float() for matrix in matrices))

    def __call__(self, image: Tensor) -> Tensor:
        """A x: (B, C, H, W) to (B, C, h, w)."""
        return self.rows @ image @ self.columns.T

    def adjoint(self, measurement: Tensor) -> Tensor:
        """Aᵀ y: (B, C, h, w) to (B, C, H, W)."""
        return self.rows.T @ measurement @ self.columns

    def to(self, device: torch.device) -> Self:
        """The same operator with its matrices on `device`."""
        return type(self)(self.rows.to(device), self.columns.to(device))
