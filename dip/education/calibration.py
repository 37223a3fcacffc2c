"""Calibration: what a network's odds are worth, told by pictures that it was never taught on."""

import torch
from torch import Tensor

STEPS = 50


def calibrated(log_odds: Tensor, damaged: Tensor) -> tuple[float, float]:
    """Slope and offset that make log-odds those of a probability.

    Args:
        log_odds: (N,), of a network.
        damaged: (N,), bool, how it is.

    Source: Platt, *Probabilistic outputs for support vector machines*, 1999; Newton's method.

    >>> generator = torch.Generator().manual_seed(0)
    >>> truth = torch.randn(20000, generator=generator)
    >>> damaged = torch.rand(20000, generator=generator) < torch.sigmoid(truth)
    >>> slope, offset = calibrated(3 * truth, damaged)
    >>> 0.3 < slope < 0.37, abs(offset) < 0.1
    (True, True)
    """
    terms = torch.stack([log_odds.double(), torch.ones_like(log_odds, dtype=torch.float64)])
    weights, target = torch.tensor([1.0, 0.0], dtype=torch.float64), damaged.double()
    ridge = 1e-6 * torch.eye(2, dtype=torch.float64)
    for _ in range(STEPS):
        share = torch.sigmoid(weights @ terms)
        slope = terms @ (share - target) / len(target)
        bend = (terms * (share * (1 - share))) @ terms.T / len(target)
        step = torch.linalg.solve(bend + ridge, slope)
        weights = weights - step.clamp(-0.5, 0.5)
    return float(weights[0]), float(weights[1])
