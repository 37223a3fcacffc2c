"""g and z: how an image is parameterized, and what the parameterization is fed.

One parameterization is one file with one class, and one line here. Importing the table brings no torch.
"""

import pkgutil
from typing import Any

NETWORKS = {
    "skip": "dip.parameterizations.skip:Skip",
    "unet": "dip.parameterizations.unet:UNet",
    "resnet": "dip.parameterizations.resnet:ResNet",
    "deep-decoder": "dip.parameterizations.deep_decoder:DeepDecoder",
    "pixels": "dip.parameterizations.pixels:Pixels",
}


def parameterization_called(name: str) -> Any:
    """The class behind a name of `NETWORKS`: called without arguments, it makes a `Parameterization`."""
    return pkgutil.resolve_name(NETWORKS[name])
