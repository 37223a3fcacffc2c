"""What the benchmarks of speed denoise."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data
from skimage.transform import resize
from torch import Tensor


def face(side_px: int) -> Tensor:
    """(1, 3, side, side) in [0, 1]."""
    image = resize(data.astronaut()[:256, 96:352], (side_px, side_px), anti_aliasing=True)
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


def photograph(path: Path) -> Tensor:
    """(1, 3, H, W) in [0, 1]."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def noisy(reference: Tensor) -> Tensor:
    """With noise of σ 25."""
    return reference + torch.randn(reference.shape, generator=torch.Generator().manual_seed(1)) * 25 / 255


def psnr_db(image: Tensor, reference: Tensor) -> Tensor:
    """Of values in [0, 1]."""
    return -10 * (image.clamp(0, 1) - reference).square().mean().log10()
