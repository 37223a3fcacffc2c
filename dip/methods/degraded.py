"""No restoration at all: the line that every other method has to beat."""

import torch

from dip.configuration import Configuration
from dip.methods.base import Context, Restoration
from dip.operators.measurement import Measurement


def degraded_input(
    measurement: Measurement,
    configuration: Configuration,  # noqa: ARG001 - every task has something to be seen
    context: Context,  # noqa: ARG001 - nothing is computed
) -> Restoration:
    """What one has without a restoration, `measurement.seen`, as the image."""
    return Restoration(torch.from_numpy(measurement.seen)[None])
