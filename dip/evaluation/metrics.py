"""PSNR and SSIM of images, and what a protocol looks at."""

import torch
from torch import Tensor

from dip.configuration.protocols import EvaluationProtocol

LUMA = (65.481, 128.553, 24.966)
"""Weights of R, G, B in the Y of ITU-R BT.601, for values in [0, 1]; Y is in [16, 235]."""

SSIM_WINDOW_PX = 11


def psnr(image: Tensor, reference: Tensor, where: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB of two tensors in [0, 1], a scalar; infinite if they are equal.

    Args:
        image: (C, H, W).
        reference: the same shape.
        where: (H, W), bool, the pixels that count; None for all.

    >>> psnr(torch.full((3, 8, 8), 0.6), torch.full((3, 8, 8), 0.5))
    tensor(20.0000)
    """
    error = (image - reference).square()
    if where is None:
        return -10 * error.mean().log10()
    return -10 * ((error * where).sum() / (where.sum() * len(image))).log10()


def ssim(image: Tensor, reference: Tensor) -> float | None:
    """Structural similarity of two (C, H, W) tensors in [0, 1], mean over the channels.

    A Gaussian window of 11×11 and σ 1.5 over the valid area, population covariance. None for images smaller
    than the window, for which it is not defined.

    Source: Wang et al. 2004, equation 13; `skimage.metrics.structural_similarity`.

    >>> image = torch.rand(3, 32, 32)
    >>> ssim(image, image), ssim(image[:, :8], image[:, :8])
    (1.0, None)
    """
    # Slow to load, and not needed where there is nothing to compare with.
    from skimage.metrics import structural_similarity

    if min(image.shape[-2:]) < SSIM_WINDOW_PX:
        return None
    x, y = image.double().numpy(), reference.double().numpy()
    similarity = structural_similarity(  # type: ignore[no-untyped-call]
        x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=0
    )
    return float(similarity)


def luma(image: Tensor) -> Tensor:
    """Y of a colour image, (3, H, W) to (1, H, W), scaled to [16/255, 235/255]; grey stays as it is.

    Source: ITU-R BT.601.

    >>> 255 * luma(torch.ones(3, 1, 1))
    tensor([[[235.]]])
    """
    if image.shape[0] == 1:
        return image
    weights = torch.tensor(LUMA, dtype=image.dtype, device=image.device).view(3, 1, 1)
    return ((image * weights).sum(dim=0, keepdim=True) + 16) / 255


def compared_part(image: Tensor, protocol: EvaluationProtocol, scale: int = 1) -> Tensor:
    """What a protocol looks at: channels and area of an image, (C, H, W) to (c, h, w).

    An image that is too small to be shaved stays as large as it is.

    Args:
        image: (C, H, W), float.
        protocol: one of `dip.configuration.protocols.PROTOCOLS`.
        scale: the scale factor of a super-resolution.

    >>> from dip.configuration.protocols import PROTOCOLS
    >>> compared_part(torch.rand(3, 32, 48), PROTOCOLS["sr-y-shave"], scale=4).shape
    torch.Size([1, 24, 40])
    """
    if protocol.is_luma:
        image = luma(image)
    shave_px = scale if protocol.shave_px is None else protocol.shave_px
    if shave_px and min(image.shape[-2:]) > 2 * shave_px:
        image = image[:, shave_px:-shave_px, shave_px:-shave_px]
    return image
