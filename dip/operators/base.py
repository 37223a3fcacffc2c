"""What every forward operator offers, and what is known when one is made."""

from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor


class ForwardOperator(Protocol):
    """A linear map from images to measurements."""

    def __call__(self, image: Tensor) -> Tensor:
        """A x: (B, C, H, W) to (B, C, h, w)."""

    @property
    def observed(self) -> Tensor | None:
        """Which pixels of a measurement are observed, (1, 1, h, w), bool; None where all are."""

    def adjoint(self, measurement: Tensor) -> Tensor:
        """Aᵀ y: (B, C, h, w) to (B, C, H, W), with ⟨A x, y⟩ = ⟨x, Aᵀ y⟩."""

    def to(self, device: torch.device) -> Self:
        """The same operator with its constants on `device`."""


@dataclass(frozen=True)
class Acquisition:
    """What is known of how measurements are taken.

    Attributes:
        size_px: (H, W) of the image to restore.
        scale: scale factor of a super-resolution.
        kernel: a name in `dip.operators.downsampling.KERNELS`.
    """

    size_px: tuple[int, int]
    scale: int = 1
    kernel: str = "bicubic"
