"""A: the forward operators. Each maps an image to what a measurement of it would be.

The same operator makes the degraded input of an evaluation and enters the loss of a restoration.
One operator is one file, and one line in `dip.configuration.registry`. The name in that line stands for the
operator and its constants in results: an operator with other constants has another name.
"""

import pkgutil
from typing import TYPE_CHECKING

from dip.configuration.registry import OPERATORS

if TYPE_CHECKING:
    from dip.operators.base import Acquisition, ForwardOperator


def operator_for(task: str, acquisition: "Acquisition") -> "ForwardOperator":
    """The operator of a task, before any mask.

    Args:
        task: a name in `OPERATORS`.
        acquisition: how measurements are taken.

    >>> from dip.operators.base import Acquisition
    >>> operator_for("super-resolution", Acquisition(size_px=(8, 8), scale=2)).rows.shape
    torch.Size([4, 8])
    """
    operator: ForwardOperator = pkgutil.resolve_name(OPERATORS[task].operator).of(acquisition)
    return operator
