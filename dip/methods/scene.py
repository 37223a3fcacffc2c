"""An image as an educated network sees it: in three channels, large enough, whole or in parts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dip.methods.tiling import count_tiles, tiled
from dip.operators.filling import filled
from dip.operators.noise_model import PATCH_PX
from dip.optimize.adaptation import drawn_by
from dip.optimize.orientation import ORIENTATIONS, oriented, upright
from dip.parameterizations.residual_unet import ResidualUNet

TILE_PX = 512
OVERLAP_PX = 64

LEAST_SIDE_PX = 2 * PATCH_PX
"""Smaller images are mirrored up to this side: a model of the noise needs some patches."""

LARGEST_WHOLE_PX = 1024**2
"""Pixels up to which all of an image is its own sample."""

PART_PX, PARTS = 320, 3
"""Of a larger image: the side of the parts of a sample, and how many lie along each side of it."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What is seen.

    Attributes:
        whole: (1, 3, H, W), grey repeated, small images mirrored at their ends.
        observed: (1, 1, H, W), float, 1 = observed, 0 = hole.
        size_px: of the image itself.
        channels: of the image itself.
    """

    whole: Tensor
    observed: Tensor
    size_px: tuple[int, int]
    channels: int

    @classmethod
    def of(
        cls, image: NDArray[np.float32], observed: NDArray[np.generic] | None, device: torch.device
    ) -> "Scene":
        """The scene of an image.

        Args:
            image: (C, H, W), C = 1 or 3.
            observed: (H, W), True or 1 = observed; None if all is.
            device: where it is to lie.
        """
        height_px, width_px = image.shape[1:]
        known = np.ones((1, height_px, width_px)) if observed is None else observed[None]
        more = [(0, 0), *((0, max(0, LEAST_SIDE_PX - side_px)) for side_px in (height_px, width_px))]
        whole, mask = (
            torch.from_numpy(np.pad(planes, more, mode="symmetric").astype(np.float32))[None].to(device)
            for planes in (np.broadcast_to(image, (3, height_px, width_px)), known)
        )
        return cls(whole, mask, (height_px, width_px), len(image))

    @property
    def tiles(self) -> int:
        """How many tiles it is drawn in."""
        height_px, width_px = self.whole.shape[2:]
        return count_tiles((height_px, width_px), (TILE_PX, TILE_PX), OVERLAP_PX)

    def sample(self) -> tuple[Tensor, Tensor]:
        """Parts that stand for the image, (B, 3, h, w), and what of them is observed, (B, 1, h, w).

        All of it as one part, or of a large image nine parts, spread evenly.
        """
        height_px, width_px = self.whole.shape[2:]
        if height_px * width_px <= LARGEST_WHOLE_PX:
            return self.whole, self.observed
        spans = [(row, column) for row in _spread(height_px) for column in _spread(width_px)]
        whole, observed = (
            torch.cat([image[..., row, column] for row, column in spans])
            for image in (self.whole, self.observed)
        )
        return whole, observed

    def drawn(self, network: ResidualUNet, progress: Callable[[float], None] | None = None) -> Tensor:
        """g(θ, y), tile by tile: (1, 3, H, W); of an image that is not large, the mean of eight.

        A network draws each orientation a little differently, and the mean is better than all.

        Source: Timofte, Rothe, Van Gool, *Seven ways to improve example-based single image super resolution*,
        CVPR 2016, section 3.5, for the mean.
        """
        height_px, width_px = self.whole.shape[2:]
        orientations = range(ORIENTATIONS if height_px * width_px <= LARGEST_WHOLE_PX else 1)
        done = 0

        def of_tile(tile: Tensor) -> Tensor:
            nonlocal done
            known = tile[:, 3:]
            image = filled(tile[:, :3], known)
            made = torch.zeros_like(image)
            for orientation in orientations:
                seen = oriented(image, orientation), oriented(known, orientation)
                made += upright(drawn_by(network, *seen), orientation)
            done += 1
            if progress is not None:
                progress(done / self.tiles)
            return made / len(orientations)

        with torch.no_grad():
            stacked = torch.cat([self.whole, self.observed], dim=1)
            return tiled(of_tile, stacked, (TILE_PX, TILE_PX), OVERLAP_PX)

    def mixed(self, drawn: Tensor, share: float | None) -> Tensor:
        """What was drawn, (1, 3, H, W); of what is observed, the rest is as it was."""
        if share is None:
            return drawn
        return torch.where(self.observed > 0, torch.lerp(self.whole, drawn, share), drawn)

    def cut(self, image: Tensor) -> Tensor:
        """The image itself, of as many channels as it has: (1, C, H, W), on the CPU."""
        height_px, width_px = self.size_px
        inner = image[..., :height_px, :width_px].cpu()
        return inner.mean(dim=1, keepdim=True) if self.channels == 1 else inner


def _spread(length_px: int) -> list[slice]:
    """Parts of a side: all of it, or a few with even distances."""
    if length_px <= PART_PX:
        return [slice(0, length_px)]
    starts = [round((length_px - PART_PX) * number / (PARTS - 1)) for number in range(PARTS)]
    return [slice(start, start + PART_PX) for start in starts]
