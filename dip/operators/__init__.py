"""A: the forward operators. Each maps an image to what a measurement of it would be.

The same operator makes the degraded input of an evaluation and enters the loss of a restoration.
One operator is one file, and one line here: the task it belongs to. Importing the table brings no torch.
"""

import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dip.operators.base import Acquisition, ForwardOperator


@dataclass(frozen=True)
class Listed:
    """An operator in the table.

    Attributes:
        operator: its class, `module:name`.
        shrinks: whether measurements are smaller than images, by the scale factor.
        repairs: whether there are holes to fill, so that a mask is needed.
        denoises: whether the noise of observed pixels is to be removed.
    """

    operator: str
    shrinks: bool = False
    repairs: bool = False
    denoises: bool = False


OPERATORS = {
    "denoise": Listed("dip.operators.identity:Identity", denoises=True),
    # The mask comes on top, as it may for every task.
    "inpaint": Listed("dip.operators.identity:Identity", repairs=True),
    "inpaint+denoise": Listed("dip.operators.identity:Identity", repairs=True, denoises=True),
    "super-resolution": Listed("dip.operators.downsampling:Downsampling", shrinks=True),
}


def operator_for(task: str, acquisition: "Acquisition") -> "ForwardOperator":
    """The operator of a task, before any mask.

    Args:
        task: a name in `OPERATORS`.
        acquisition: how measurements are taken.
    """
    operator: ForwardOperator = pkgutil.resolve_name(OPERATORS[task].operator).of(acquisition)
    return operator
