"""Examinations: how well a network draws pictures that it was never taught on."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dip.education.lessons import enlarging, in_8_bits
from dip.education.stock import picture_in_bytes
from dip.operators.filling import filled
from dip.operators.grain import by_tones, correlated, white_noise
from dip.operators.simulation import compressed, missing_pixels
from dip.optimize.device import in_precision

Pixels = NDArray[np.float32]

FIRST = 10**9
"""Number of the first picture of an examination; an education never comes so far."""

COUNT = 8
SIDE_PX = 128


def examine(network: nn.Module, task: str, precision: torch.dtype) -> dict[str, float]:
    """PSNR of what the network draws in one pass, by kind of damage, in dB; the mean of eight pictures.

    Args:
        network: on the CPU.
        task: `denoise` or `super-resolution`.
        precision: of the network's body.
    """
    random = np.random.default_rng(FIRST)
    scores: dict[str, list[float]] = {}
    for number in range(FIRST, FIRST + COUNT):
        clean = picture_in_bytes(number)[:, :SIDE_PX, :SIDE_PX].astype(np.float32) / np.float32(255)
        for kind, (y, observed) in _questions(task, clean, random).items():
            scores.setdefault(kind, []).append(_psnr_db(network, y, observed, clean, precision))
    return {kind: round(float(np.mean(values)), 2) for kind, values in scores.items()}


def _questions(task: str, clean: Pixels, random: np.random.Generator) -> Mapping[str, tuple[Pixels, Pixels]]:
    everywhere = np.ones(clean.shape[1:], np.float32)
    if task == "super-resolution":
        return {"enlarged": enlarging(random, clean)}
    white = white_noise(random, clean.shape)
    grain = by_tones(correlated(white_noise(random, clean.shape, 0.5), 1.2), clean)
    half = missing_pixels((SIDE_PX, SIDE_PX), 0.5, random).astype(np.float32)
    return {
        "white 15": (clean + white * np.float32(15 / 255), everywhere),
        "white 50": (clean + white * np.float32(50 / 255), everywhere),
        "grain 15": (in_8_bits(clean + grain * np.float32(15 / 255)), everywhere),
        "grain 10, JPEG 60": (compressed(clean + grain * np.float32(10 / 255), 60), everywhere),
        "half missing": (clean, half),
    }


def _psnr_db(network: nn.Module, y: Pixels, observed: Pixels, clean: Pixels, precision: torch.dtype) -> float:
    """PSNR with the observed pixels pasted back where there are holes."""
    image, known = torch.from_numpy(y)[None], torch.from_numpy(observed)[None, None]
    with torch.no_grad(), in_precision(torch.device("cpu"), precision):
        drawn = network(filled(image, known), known).float()[0].clamp(0, 1).numpy()
    if not observed.all():
        drawn = np.where(observed > 0, y, drawn)
    return float(-10 * np.log10(((drawn - clean).astype(np.float64) ** 2).mean()))
