"""What every forward operator offers."""

from typing import Protocol, Self

import torch
from torch import Tensor


class ForwardOperator(Protocol):
    """A linear map from images to measurements."""

    def __call__(self, image: Tensor) -> Tensor:
        """A x: (B, C, H, W) to (B, C, h, w)."""

    def adjoint(self, measurement: Tensor) -> Tensor:
        """Aᵀ y: (B, C, h, w) to (B, C, H, W), with ⟨A x, y⟩ = ⟨x, Aᵀ y⟩."""

    def to(self, device: torch.device) -> Self:
        """The same operator with its constants on `device`."""
