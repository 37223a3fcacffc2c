"""How probable damage is at each pixel of an image, by a network that drawn damage has taught."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dip.images.image import Pixels
from dip.methods.tiling import tiled
from dip.optimize.device import body_precision, in_precision, repeatable_on
from dip.parameterizations.residual_unet import Detector
from dip.parameterizations.start import shipped_start

TILE_PX, OVERLAP_PX = 1024, 128
CPU = torch.device("cpu")


def damage_probability(pixels: Pixels) -> NDArray[np.float32]:
    """The probability that a pixel is damaged and has to be repaired. Stains have no part in it.

    Args:
        pixels: (C, H, W) in [0, 1]; C is 1 or 3.

    Returns:
        (H, W), float32 in [0, 1].

    >>> damage_probability(np.full((1, 40, 50), 0.5, np.float32)).shape
    (40, 50)
    """
    image = torch.from_numpy(np.array(np.broadcast_to(pixels, (3, *pixels.shape[1:]))))[None]
    network, (slope, offset) = _detector()
    precision = body_precision(CPU, torch.bfloat16)

    def of_tile(tile: Tensor) -> Tensor:
        with in_precision(CPU, precision):
            logits = network(tile.contiguous(memory_format=torch.channels_last))
        return network.log_odds(logits.float())

    with repeatable_on(CPU), torch.no_grad():
        log_odds = tiled(of_tile, image, (TILE_PX, TILE_PX), OVERLAP_PX)[0, 0]
    made: NDArray[np.float32] = torch.sigmoid(slope * log_odds + offset).numpy()
    return made


@lru_cache(maxsize=1)
def _detector() -> tuple[Detector, tuple[float, float]]:
    """The detector of the package, and its calibration."""
    start = shipped_start("masks")
    slope, offset = start.card["calibration"]
    return start.detector(), (slope, offset)
