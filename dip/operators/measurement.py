"""y and A: the measurement of an image, which is restored as it is."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from dip.configuration import Configuration
from dip.images.image import PixelMask, Pixels
from dip.images.noise import estimate_noise
from dip.operators import operator_for
from dip.operators.base import Acquisition, ForwardOperator
from dip.operators.composition import Composition
from dip.operators.identity import Identity
from dip.operators.mask import Mask


@dataclass(frozen=True, eq=False)
class Measurement:
    """y and A, and where the restoration starts from.

    Attributes:
        y: (C, h, w), float32.
        operator: A.
        size_px: (H, W) of the image to restore.
        seen: (C, H, W), what one has without a restoration: the noisy image, the image with its
            holes, the bicubic enlargement. Not clipped.
        keeps_observed: whether the observed pixels are the restored image's own.
        reference: (C, H, W) in [0, 1], in an evaluation.
        corner_px: (top, left) of the reference in the image it was cropped from.
        guide: (3, H, W) in [0, 1], another image of the same scene, if the network draws from one.
        visible: (h, w), True = visible, where the image is transparent elsewhere; what is not visible is not
            observed either.
        source_sigma: σ of the noise in y, in 8-bit units, where it was estimated as the image was read.
    """

    y: Pixels
    operator: ForwardOperator
    size_px: tuple[int, int]
    seen: Pixels
    keeps_observed: bool = False
    reference: Pixels | None = None
    corner_px: tuple[int, int] = (0, 0)
    guide: Pixels | None = None
    visible: PixelMask | None = None
    source_sigma: float | None = None

    @property
    def observed(self) -> PixelMask | None:
        """Which pixels of y are observed, (h, w), as the operator knows it; None where all are."""
        observed = self.operator.observed
        return None if observed is None else observed[0, 0].numpy()

    @cached_property
    def noise_sigma(self) -> float | None:
        """An estimate of σ of the noise in y, in 8-bit units; None where holes or blur would mislead it."""
        if not isinstance(self.operator, Identity):
            return None
        return estimate_noise(self.y) if self.source_sigma is None else self.source_sigma

    def softened(self, image: Tensor, strength: float | None) -> Tensor:
        """A restored image, (1, C, H, W), of which so much is taken; the rest of what is observed is y."""
        if strength is None:
            return image
        mixed = torch.lerp(torch.from_numpy(self.y)[None], image, strength)
        return mixed if self.observed is None else self.pasted(image, mixed)

    def with_observed(self, image: Tensor, values: Tensor | None = None) -> Tensor:
        """An image, (B, C, H, W), with the observed pixels pasted back into it, if they are to stay.

        Args:
            image: what was restored.
            values: what is pasted; None for y.
        """
        return self.pasted(image, values) if self.keeps_observed else image

    def pasted(self, image: Tensor, values: Tensor | None = None) -> Tensor:
        """An image, (B, C, H, W), with the observed pixels of y, or other values, in it."""
        observed = self.operator.observed
        if observed is None:
            return image
        values = torch.from_numpy(self.y) if values is None else values
        return torch.where(observed.to(image.device), values.to(image), image)


def image_seed(seed: int, source_sha256: str) -> int:
    """Seed of an image: it follows the bytes, so that neither its name nor its place matters.

    Args:
        seed: the configuration's.
        source_sha256: of the image's file, in hexadecimal digits.

    >>> image_seed(0, "00ff") == image_seed(0, "00ff") != image_seed(1, "00ff")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}:{source_sha256}".encode()).digest()[:7], "big")


def measured(
    pixels: Pixels, observed: PixelMask | None, configuration: Configuration, guide: Pixels | None = None
) -> Measurement:
    """The measurement of an image that is restored as it is.

    Args:
        pixels: (C, h, w), float32.
        observed: (h, w), True = observed; None for all.
        configuration: what is asked for.
        guide: (3, H, W), another image of the same scene, or None.

    >>> configuration = Configuration("super-resolution", scale=2)
    >>> measured(np.zeros((3, 20, 30), np.float32), None, configuration).size_px
    (40, 60)
    """
    factor = configuration.scale_factor
    size_px = (pixels.shape[1] * factor, pixels.shape[2] * factor)
    operator = forward_operator(configuration, size_px)
    y = pixels
    if observed is not None:
        mask = Mask(torch.from_numpy(observed)[None, None])
        operator = mask if isinstance(operator, Identity) else Composition(operator, mask)
        y = pixels * observed
    seen = y if factor == 1 else enlarged_bicubic(y, size_px)
    return Measurement(y, operator, size_px, seen, configuration.keeps_observed, guide=guide)


def forward_operator(configuration: Configuration, size_px: tuple[int, ...]) -> ForwardOperator:
    """A of the configuration's task, before any mask, for images of (H, W) pixels.

    >>> forward_operator(Configuration("denoise"), (20, 30))
    Identity()
    """
    height_px, width_px = size_px
    acquisition = Acquisition(
        (height_px, width_px), configuration.scale_factor, configuration.downsampling_kernel
    )
    return operator_for(configuration.task, acquisition)


def enlarged_bicubic(pixels: Pixels, size_px: tuple[int, int]) -> Pixels:
    """Bicubic enlargement, (C, h, w) to (C, H, W).

    >>> enlarged_bicubic(np.zeros((3, 20, 30), np.float32), (40, 60)).shape
    (3, 40, 60)
    """
    height_px, width_px = size_px
    bicubic = PillowImage.Resampling.BICUBIC
    planes = [PillowImage.fromarray(plane).resize((width_px, height_px), bicubic) for plane in pixels]
    return np.stack([np.asarray(plane) for plane in planes])
