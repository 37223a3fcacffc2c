"""Measurements made by hand, for methods that are tried without the pipeline."""

import numpy as np
import torch
from skimage import data

from dip.configuration import Configuration
from dip.methods import method_called
from dip.methods.base import Context
from dip.operators.identity import Identity
from dip.operators.mask import Mask
from dip.operators.measurement import Measurement


def astronaut(side_px: int = 96) -> np.ndarray:
    face = data.astronaut()[80 : 80 + side_px, 180 : 180 + side_px]
    return np.ascontiguousarray(face.transpose(2, 0, 1), dtype=np.float32) / 255


def noisy(image: np.ndarray, sigma: float = 25) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(image.shape, dtype=np.float32)
    return image + noise * np.float32(sigma / 255)


def psnr(image: np.ndarray, reference: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image - reference) ** 2)))


def measurement_of(y: np.ndarray, observed: np.ndarray | None = None, scale: int = 1) -> Measurement:
    """y, (C, H, W), as a measurement of an image `scale` times as large."""
    size_px = tuple(side * scale for side in y.shape[1:])
    operator = Identity() if observed is None else Mask(torch.from_numpy(observed)[None, None])
    return Measurement(y=y, operator=operator, size_px=size_px, seen=y)


def restored(
    method: str,
    y: np.ndarray,
    observed: np.ndarray | None = None,
    task: str = "denoise",
    weights: object = None,
    scale: int = 2,
) -> np.ndarray:
    """What a method makes of y, (C, H, W)."""
    path = None if weights is None else str(weights)
    configuration = Configuration(task, method=method, weights=path, scale=scale)
    measurement = measurement_of(y, observed, configuration.scale_factor)
    context = Context(seed=0, device=torch.device("cpu"))
    restoration = method_called(method)(measurement, configuration, context)
    assert restoration.image.dtype == torch.float32
    assert restoration.iterations is None
    return restoration.image[0].numpy()


def holes(shape: tuple[int, ...], share: float = 0.5) -> np.ndarray:
    """True = observed; at least the first pixel is."""
    observed = np.random.default_rng(1).random(shape) >= share
    observed[0, 0] = True
    return observed
