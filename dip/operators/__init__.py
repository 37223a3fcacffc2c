"""A: the forward operators. Each maps an image to what a measurement of it would be.

The same operator makes the degraded input of an evaluation and enters the loss of a restoration.
"""

from dip.operators.base import ForwardOperator
from dip.operators.downsampling import Downsampling
from dip.operators.identity import Identity
from dip.operators.mask import Mask

__all__ = ["Downsampling", "ForwardOperator", "Identity", "Mask"]
