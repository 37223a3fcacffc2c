"""The ways to restore an image: Deep Image Prior, and what stands beside it in a comparison.

One method is one function, and one line here. Importing the table brings no torch.
"""

import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dip.methods.base import Method


@dataclass(frozen=True)
class Listed:
    """A method in the table.

    Attributes:
        function: where it is, `module:name`.
        tasks: what it can do; None for every task.
        optimises: `network` or `pixels`, what it optimises; None where nothing is iterated.
        takes_masks: whether it can be told which pixels are missing.
    """

    function: str
    tasks: tuple[str, ...] | None = None
    optimises: str | None = None
    takes_masks: bool = True


METHODS = {
    "dip": Listed("dip.methods.optimization:optimize", optimises="network"),
    "none": Listed("dip.methods.degraded:degraded_input"),
    "pixels": Listed("dip.methods.optimization:optimize", optimises="pixels"),
    "pixels-tv": Listed("dip.methods.optimization:optimize", optimises="pixels"),
    "tv-chambolle": Listed("dip.methods.classical:tv_chambolle", ("denoise",)),
    "nlm": Listed("dip.methods.classical:non_local_means", ("denoise",)),
    "wavelet": Listed("dip.methods.classical:wavelet", ("denoise",)),
    "biharmonic": Listed("dip.methods.classical:biharmonic", ("inpaint",)),
    "trained": Listed("dip.methods.trained:trained", ("denoise", "super-resolution"), takes_masks=False),
}


def method_called(name: str) -> "Method":
    """The function behind a name of `METHODS`."""
    method: Method = pkgutil.resolve_name(METHODS[name].function)
    return method
