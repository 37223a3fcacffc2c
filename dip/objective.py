"""E: how far the simulated measurement A g(θ, z) is from the real one, y."""

from torch import Tensor


def squared_error(simulated: Tensor, measurement: Tensor) -> Tensor:
    """Mean squared error over all elements, a scalar.

    Args:
        simulated: A g(θ, z), (B, C, H, W).
        measurement: y, the same shape.

    Source: Ulyanov et al., CVPR 2018, equation 2 with the data terms of section 3.
    """
    return (simulated - measurement).square().mean()
