"""A method that does no restoration, but what the width of an image says."""

import os
import time
from pathlib import Path

import torch

from dip.methods.base import Restoration

ABORTS_PX = 13
LOSES_ITS_GPU_PX = 14
SLEEP_S = float(os.environ.get("SABOTAGED_SLEEP_S", "0"))


def sabotaged(measurement, configuration, context):  # noqa: ARG001 - as every method
    if measurement.size_px[1] == ABORTS_PX:
        os.abort()
    if measurement.size_px[1] == LOSES_ITS_GPU_PX:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    if "SABOTAGED_ASLEEP" in os.environ:
        Path(os.environ["SABOTAGED_ASLEEP"]).touch()
    time.sleep(SLEEP_S)
    return Restoration(torch.from_numpy(measurement.seen)[None])
