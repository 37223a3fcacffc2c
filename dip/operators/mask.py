"""The mask: only some pixels are measured, as in inpainting."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mask:
    """A = diag(m): the missing pixels are measured as 0.

    Attributes:
        observed: m, (1, 1, H, W), bool; True = observed, False = missing.

    >>> mask = Mask(torch.tensor([[[[True, False]]]]))
    >>> mask(torch.tensor([[[[0.25, 0.75]]]]))
    tensor([[[[0.2500, 0.0000]]]])
    """

    observed: Tensor

    def __call__(self, image: Tensor) -> Tensor:
        """A x = m ⊙ x, shape (B, C, H, W)."""
        return image * self.observed

    def adjoint(self, measurement: Tensor) -> Tensor:
        """Aᵀ y = m ⊙ y, shape (B, C, H, W)."""
        return measurement * self.observed

    def to(self, device: torch.device) -> Self:
        """The same mask on `device`."""
        return type(self)(self.observed.to(device))
