"""A: the forward operators. Each maps an image to what a measurement of it would be.

The same operator makes the degraded input of an evaluation and enters the loss of a restoration.
One operator is one file, and one line here: the task it belongs to. Importing the table brings no torch.
"""

import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dip.operators.base import Acquisition, ForwardOperator

OPERATORS = {
    "denoise": "dip.operators.identity:Identity",
    "inpaint": "dip.operators.identity:Identity",  # the mask comes on top, as it may for every task
    "super-resolution": "dip.operators.downsampling:Downsampling",
}


def operator_for(task: str, acquisition: "Acquisition") -> "ForwardOperator":
    """The operator of a task, before any mask.

    Args:
        task: a name in `OPERATORS`.
        acquisition: how measurements are taken.
    """
    operator: ForwardOperator = pkgutil.resolve_name(OPERATORS[task]).of(acquisition)
    return operator
