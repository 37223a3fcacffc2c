"""x*: the ways to restore an image, Deep Image Prior and what stands beside it in a comparison.

One method is one function, and one line in `dip.configuration.registry`.
"""

import pkgutil
from typing import TYPE_CHECKING

from dip.configuration.registry import METHODS

if TYPE_CHECKING:
    from dip.methods.base import Method


def method_called(name: str) -> "Method":
    """The function behind a name of `METHODS`."""
    method: Method = pkgutil.resolve_name(METHODS[name].function)
    return method
