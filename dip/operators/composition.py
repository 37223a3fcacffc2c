"""Operators one after the other, as in a mask over a downsampled image."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from dip.operators.base import ForwardOperator


@dataclass(frozen=True, eq=False)
class Composition:
    """A = A₂ A₁, for which Aᵀ = A₁ᵀ A₂ᵀ.

    Attributes:
        first: A₁, applied to the image.
        then: A₂, applied to what comes of it.

    >>> from dip.operators.downsampling import Downsampling
    >>> from dip.operators.mask import Mask
    >>> mask = Mask(torch.tensor([[[[True, False]]]]))
    >>> Composition(Downsampling.by(2, "box", 2, 4), mask)(torch.ones(1, 1, 2, 4))
    tensor([[[[1., 0.]]]])
    """

    first: ForwardOperator
    then: ForwardOperator

    def __call__(self, image: Tensor) -> Tensor:
        """A₂ A₁ x: (B, C, H, W) to (B, C, h, w)."""
        return self.then(self.first(image))

    @property
    def observed(self) -> Tensor | None:
        """Those of A₂: it makes the measurement."""
        return self.then.observed

    def adjoint(self, measurement: Tensor) -> Tensor:
        """A₁ᵀ A₂ᵀ y: (B, C, h, w) to (B, C, H, W)."""
        return self.first.adjoint(self.then.adjoint(measurement))

    def to(self, device: torch.device) -> Self:
        """The same operators on `device`."""
        return type(self)(self.first.to(device), self.then.to(device))
