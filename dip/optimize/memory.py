"""How much memory a fit takes, and how large an image may be to be fitted whole."""

from functools import cache

import torch
from torch import Tensor

from dip.presets import Settings

BUDGET_BYTES = int(3.5 * 2**30)
"""What a fit may take: the same everywhere, so that a result does not depend on the machine's memory."""

_PROBE_PX = 128
# Measured as peak resident memory of fits at 256² to 1024², over what the network keeps for its gradient:
# the gradients on their way, and z, its noise, the outputs and their averages.
_OVER_KEPT, _BESIDES = 1.5, 600


@cache
def bytes_per_pixel(settings: Settings, channels: int) -> float:
    """Bytes that a fit takes for each pixel of the canvas, at its peak, within a third or so.

    Counted on a small canvas: what the network keeps between its output and its gradient; in float32,
    whatever precision is wanted, so that a processor without bfloat16 has the same tiles as one with it.

    Args:
        settings: of the fit.
        channels: of the image, 1 or 3.
    """
    kept: dict[int, tuple[Tensor, int]] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = (tensor, storage.nbytes())
        return tensor

    with torch.random.fork_rng(devices=[]):
        canvas_px = settings.parameterization.canvas_px(_PROBE_PX, _PROBE_PX)
        network = settings.parameterization.network(channels, canvas_px)
        z = torch.zeros(1, *settings.parameterization.input_shape(canvas_px))
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            network(z)
    for parameter in network.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    height_px, width_px = canvas_px
    return _OVER_KEPT * sum(size for _, size in kept.values()) / (height_px * width_px) + _BESIDES


def largest_area_px(settings: Settings, channels: int) -> int:
    """Pixels of the largest image that is fitted whole."""
    return int(BUDGET_BYTES / bytes_per_pixel(settings, channels))
