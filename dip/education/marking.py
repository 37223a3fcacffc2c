"""The subject of the detector: to tell drawn damage from the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dip.drawing.damage import KINDS
from dip.education.calibration import calibrated
from dip.education.examination import FIRST
from dip.education.lessons import Bytes
from dip.education.mask_lessons import MaskLesson, draw_mask_lesson
from dip.education.stock import picture_in_bytes
from dip.optimize.device import in_precision
from dip.parameterizations.residual_unet import Detector, UNet

ENTROPY_WEIGHT = 4.0
"""Of the cross-entropy beside Dice's loss, which is tens of times larger."""

EXAMINED, EXAMINED_PX, EXAMINED_PICTURES = 48, 192, 8
SHAPE: dict[str, Any] = {"widths": (24, 48, 64, 96), "blocks": 2, "shuffle": 2, "kinds": len(KINDS)}


@dataclass(frozen=True)
class Marking:
    """How a detector is taught.

    Attributes:
        stock: pictures that lessons are cut from.
        renewed_every: steps after which a picture of the stock is exchanged for a new one.
        shape: what the network is made with.
    """

    stock: ClassVar[int] = 96
    renewed_every: ClassVar[int] = 12
    shape: ClassVar[dict[str, Any]] = SHAPE

    def loss(
        self,
        network: UNet,
        random: np.random.Generator,
        pictures: Sequence[Bytes],
        batch: int,
        crop_px: int,
        precision: torch.dtype,
    ) -> Tensor:
        """Cross-entropy over the kinds, and Dice's loss of what is damaged at all.

        Source: Milletari, Navab, Ahmadi, *V-Net*, 3DV 2016, for Dice's loss.
        """
        lesson = draw_mask_lesson(random, pictures, batch, crop_px)
        device = next(network.parameters()).device
        pixels = lesson.pixels.to(device).contiguous(memory_format=torch.channels_last)
        with in_precision(device, precision):
            logits = network(pixels)
        logits, kinds, weights = logits.float(), lesson.kinds.to(device), lesson.weights.to(device)
        entropy = (F.cross_entropy(logits, kinds, reduction="none") * weights).mean()
        found, damaged = (1 - logits.softmax(dim=1)[:, 0]) * weights, (kinds > 0) * weights
        overlap = 2 * (found * damaged).sum() / (found.sum() + damaged.sum()).clamp(min=1)
        loss: Tensor = ENTROPY_WEIGHT * entropy + 1 - overlap
        return loss

    def examine(self, network: UNet, precision: torch.dtype) -> dict[str, float]:
        """Precision, recall, and what is marked of undamaged crops, at even odds; in percent."""
        lesson = examination()
        found = _log_odds(network, lesson, precision) > 0
        damaged, counted = _is_damaged(lesson), lesson.weights > 0
        hit = float((found & damaged).sum())
        clean = ~damaged.any(dim=(1, 2)) & counted.all(dim=(1, 2))
        shares = {
            "precision": hit / max(float((found & counted).sum()), 1.0),
            "recall": hit / max(float(damaged.sum()), 1.0),
            "clean": float(found[clean].float().mean()) if bool(clean.any()) else 0.0,
        }
        return {name: round(100 * share, 3) for name, share in shares.items()}

    def conclusion(self, network: UNet, precision: torch.dtype) -> dict[str, Any]:
        """What the card tells beside the scores: slope and offset of the calibration."""
        lesson = examination()
        counted = lesson.weights > 0
        log_odds = _log_odds(network, lesson, precision)
        return {"calibration": calibrated(log_odds[counted], _is_damaged(lesson)[counted])}


def _log_odds(network: UNet, lesson: MaskLesson, precision: torch.dtype) -> Tensor:
    """(B, H, W), of damage that hides the picture, crop by crop."""
    with torch.no_grad(), in_precision(torch.device("cpu"), precision):
        logits = torch.cat([network(crop[None]).float() for crop in lesson.pixels])
    return Detector.log_odds(logits)[:, 0]


def _is_damaged(lesson: MaskLesson) -> Tensor:
    """(B, H, W), bool: what hides the picture; a stain, the last kind, lets it through."""
    return (lesson.kinds > 0) & (lesson.kinds < len(KINDS))


def examination() -> MaskLesson:
    """Crops that no network is taught on."""
    pictures = [picture_in_bytes(number) for number in range(FIRST, FIRST + EXAMINED_PICTURES)]
    return draw_mask_lesson(np.random.default_rng(FIRST), pictures, EXAMINED, EXAMINED_PX)
