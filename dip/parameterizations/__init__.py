"""g and z: how an image is parameterized, and what the parameterization is fed.

One parameterization is one file with one class, and one line in `dip.configuration.registry`.
"""

import pkgutil
from typing import Any

from dip.configuration.registry import NETWORKS


def parameterization_called(name: str) -> Any:
    """The class behind a name of `NETWORKS`: called without arguments, it makes a `Parameterization`.

    >>> parameterization_called("skip")().input_shape((64, 96))
    (32, 64, 96)
    """
    return pkgutil.resolve_name(NETWORKS[name])
