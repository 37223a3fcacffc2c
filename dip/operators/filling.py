"""A first guess for holes: the mean of what is observed near them."""

import torch
from torch import Tensor
from torch.nn import functional as F


def filled(y: Tensor, observed: Tensor) -> Tensor:
    """y with its holes filled from the next coarser scale that knows something.

    Args:
        y: (B, C, H, W); what it holds in holes has no say.
        observed: (B, 1, H, W), float, 1 = observed, 0 = hole.

    Returns:
        (B, C, H, W): y where it is observed.

    Source: the pull-push of Gortler et al., *The Lumigraph*, SIGGRAPH 1996, section 3.4.

    >>> y, observed = torch.tensor([[[[0.5, 0.0, 0.5, 0.5]]]]), torch.tensor([[[[1.0, 0.0, 1.0, 1.0]]]])
    >>> filled(y, observed)
    tensor([[[[0.5000, 0.5000, 0.5000, 0.5000]]]])
    """
    if bool((observed > 0).all()):
        return y
    if max(y.shape[-2:]) == 1:
        return torch.where(observed > 0, y, y.new_tensor(0.5))
    share = F.avg_pool2d(observed, 2, ceil_mode=True, count_include_pad=False)
    sums = F.avg_pool2d(y * observed, 2, ceil_mode=True, count_include_pad=False)
    coarse = filled(sums / share.clamp(min=1e-6), (share > 0).to(y))
    finer = F.interpolate(coarse, scale_factor=2, mode="bilinear")[..., : y.shape[-2], : y.shape[-1]]
    return torch.where(observed > 0, y, finer)
