"""z: the fixed input of the network, and the canvas it lives on."""

import torch
from torch import Tensor

AMPLITUDE = 0.1


def canvas_size_px(height_px: int, width_px: int, scales: int) -> tuple[int, int]:
    """Height and width of the smallest canvas that a network of so many scales can draw an image on.

    Each side is a multiple of 2**scales, so that every halving is exact, and at least two such
    multiples, so that the coarsest scale has the two pixels that reflection padding and batch
    normalisation need.
    """
    multiple = 2**scales
    height, width = (max(2, -(-side // multiple)) * multiple for side in (height_px, width_px))
    return height, width


def uniform_noise(channels: int, size_px: tuple[int, int], generator: torch.Generator) -> Tensor:
    """z ~ U(0, 0.1), shape (1, channels, H, W), float32 on the CPU.

    Source: Ulyanov et al., CVPR 2018, supplementary, section 1.
    """
    return torch.rand((1, channels, *size_px), generator=generator) * AMPLITUDE
