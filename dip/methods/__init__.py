"""The ways to restore an image: Deep Image Prior, and what stands beside it in a comparison.

One method is one function, and one line here. Importing the table brings no torch.
"""

import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dip.methods.base import Method

METHODS = {
    "dip": "dip.methods.optimization:optimize",
    "none": "dip.methods.degraded:degraded_input",
    "pixels": "dip.methods.optimization:optimize",
    "pixels-tv": "dip.methods.optimization:optimize",
    "tv-chambolle": "dip.methods.classical:tv_chambolle",
    "nlm": "dip.methods.classical:non_local_means",
    "wavelet": "dip.methods.classical:wavelet",
    "biharmonic": "dip.methods.classical:biharmonic",
    "trained": "dip.methods.trained:trained",
}


def method_called(name: str) -> "Method":
    """The function behind a name of `METHODS`."""
    method: Method = pkgutil.resolve_name(METHODS[name])
    return method
