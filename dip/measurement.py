"""y and A: the measurement of an image, taken as it is or simulated from a reference."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import Tensor

from dip import degradations, metrics
from dip.config import Configuration, Degradation
from dip.errors import ImageError
from dip.operators import Downsampling, ForwardOperator, Identity, Mask

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Measurement:
    """y and A, and where the restoration starts from.

    Attributes:
        y: (C, h, w), float32.
        operator: A.
        size_px: (H, W) of the image to restore.
        seen: (C, H, W) in [0, 1], what one has without a restoration: the noisy image, the image
            with its holes, the bicubic enlargement.
        observed: (H, W), 1 = observed, for inpainting.
        reference: (C, H, W) in [0, 1], in an evaluation.
    """

    y: Pixels
    operator: ForwardOperator
    size_px: tuple[int, int]
    seen: Pixels
    observed: Pixels | None = None
    reference: Pixels | None = None

    def with_observed(self, image: Tensor) -> Tensor:
        """An image, (B, C, H, W), with the observed pixels pasted back into it, if a mask says which."""
        if self.observed is None:
            return image
        observed, y = (torch.from_numpy(array).to(image.device) for array in (self.observed, self.y))
        return torch.where(observed > 0, y, image)


def measured(pixels: Pixels, observed: Pixels | None, configuration: Configuration) -> Measurement:
    """The measurement of an image that is restored as it is.

    Args:
        pixels: (C, h, w) in [0, 1].
        observed: (h, w), 1 = observed, for inpainting.
        configuration: what is asked for.
    """
    height_px, width_px = pixels.shape[1:]
    if configuration.task == "super-resolution":
        factor = configuration.scale
        size_px = (height_px * factor, width_px * factor)
        operator = Downsampling.by(factor, configuration.kernel, *size_px)
        return Measurement(pixels, operator, size_px, seen=_enlarged(pixels, factor))
    if observed is not None:
        mask = Mask(torch.from_numpy(observed)[None, None])
        return Measurement(pixels * observed, mask, (height_px, width_px), pixels * observed, observed)
    return Measurement(pixels, Identity(), (height_px, width_px), seen=pixels)


def simulated(
    reference: Pixels, configuration: Configuration, degradation: Degradation, seed: int
) -> Measurement:
    """The measurement of a damaged reference, made by the operator that enters the loss.

    Args:
        reference: (C, H, W) in [0, 1].
        configuration: what is asked for.
        degradation: how the reference is damaged.
        seed: of noise and masks.

    Raises:
        ImageError: the reference is smaller than the scale factor.
    """
    random = np.random.default_rng(seed)
    observed = None
    if configuration.task == "super-resolution":
        reference = _cropped_to_multiple(reference, configuration.scale)
        operator = Downsampling.by(configuration.scale, configuration.kernel, *reference.shape[1:])
        degraded = metrics.rounded(operator(torch.from_numpy(reference)[None])[0]).float().numpy()
    elif configuration.task == "inpaint":
        degraded, observed = reference, _simulated_mask(degradation, reference.shape[1:], random)
    else:
        degraded = degradations.with_gaussian_noise(
            reference, degradation.sigma, random, clip=degradation.clip
        )
    return replace(measured(degraded, observed, configuration), reference=reference)


def _simulated_mask(
    degradation: Degradation, size_px: tuple[int, ...], random: np.random.Generator
) -> Pixels:
    height_px, width_px = size_px
    if degradation.mask is not None:
        return degradations.shaped_mask(degradation.mask, (height_px, width_px), random)
    return degradations.missing_pixels((height_px, width_px), degradation.missing or 0, random)


def _cropped_to_multiple(reference: Pixels, factor: int) -> Pixels:
    height_px, width_px = (side // factor * factor for side in reference.shape[1:])
    if not height_px or not width_px:
        raise ImageError(
            f"Expected a reference of at least {factor}×{factor} pixels to evaluate ×{factor}; "
            f"got {reference.shape[2]}×{reference.shape[1]}."
        )
    return np.ascontiguousarray(reference[:, :height_px, :width_px])


def _enlarged(pixels: Pixels, factor: int) -> Pixels:
    """Bicubic enlargement, (C, h, w) to (C, h·factor, w·factor)."""
    size = (pixels.shape[2] * factor, pixels.shape[1] * factor)
    bicubic = PillowImage.Resampling.BICUBIC
    return np.stack([np.asarray(PillowImage.fromarray(plane).resize(size, bicubic)) for plane in pixels])
