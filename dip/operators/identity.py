"""The identity: what is measured is the image itself, as in denoising."""

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from dip.operators.base import Acquisition


@dataclass(frozen=True)
class Identity:
    """A = I: y is the image itself, but for its noise.

    >>> Identity()(torch.tensor([[[[0.25]]]]))
    tensor([[[[0.2500]]]])
    """

    observed: ClassVar[None] = None

    @classmethod
    def of(cls, acquisition: Acquisition) -> Self:  # noqa: ARG003 - there is nothing to know
        """The operator of a task without a forward model."""
        return cls()

    def __call__(self, image: Tensor) -> Tensor:
        """A x = x, shape (B, C, H, W)."""
        return image

    def adjoint(self, measurement: Tensor) -> Tensor:
        """Aᵀ y = y, shape (B, C, H, W)."""
        return measurement

    def to(self, device: torch.device) -> Self:  # noqa: ARG002 - it has no constants to move
        """The operator itself."""
        return self
