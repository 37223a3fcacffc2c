"""θ₀: weights that a fit begins with, educated on drawn pictures, and the card that says how."""

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from dip.errors import ConfigurationError
from dip.parameterizations.residual_unet import Detector, ResidualUNet, UNet

Network = TypeVar("Network", bound=UNet)

SHIPPED = "starts"
"""The folder beside this file that holds the starts of the package."""


@dataclass(frozen=True, eq=False)
class Start:
    """A network's weights after its education.

    Attributes:
        weights: by name, bfloat16.
        shape: what the network is made with: `widths`, `blocks`, `shuffle`, and a detector's `kinds`.
        card: how it was educated, as plain values.
    """

    weights: dict[str, Tensor]
    shape: dict[str, Any]
    card: dict[str, Any]

    def network(self) -> ResidualUNet:
        """A network of its own that restores, float32, with these weights."""
        return self._with_weights(ResidualUNet(**self.shape))

    def detector(self) -> Detector:
        """A network of its own that finds damage, float32, with these weights."""
        return self._with_weights(Detector(**self.shape))

    def any_network(self) -> UNet:
        """Either of them."""
        return self._with_weights(network_of(self.shape))

    def _with_weights(self, network: Network) -> Network:
        network.load_state_dict({name: weight.float() for name, weight in self.weights.items()})
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def encoded(self) -> bytes:
        """The start as a file: tensors and plain values alone, so that reading it runs no program."""
        buffer = io.BytesIO()
        shape = {**self.shape, "widths": list(self.shape["widths"])}
        torch.save({"weights": self.weights, "shape": shape, "card": json.dumps(self.card)}, buffer)
        return buffer.getvalue()


def network_of(shape: dict[str, Any]) -> UNet:
    """A network with random weights: a detector if the shape has `kinds`, otherwise one that restores.

    >>> network_of({"widths": (8, 16), "blocks": 1, "shuffle": 2}).multiple
    4
    """
    return Detector(**shape) if "kinds" in shape else ResidualUNet(**shape)


def decoded_start(content: bytes, name: str) -> Start:
    """The start in a file.

    Args:
        content: of the file.
        name: of the file, for the sentence if it is no start.

    Raises:
        ConfigurationError: it is no start.

    >>> decoded_start(b"no start", "some.pt")
    Traceback (most recent call last):
    dip.errors.ConfigurationError: Expected a start made by `dip educate`; got some.pt, which is none ...
    """
    try:
        held = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        shape = {**held["shape"], "widths": tuple(held["shape"]["widths"])}
        start = Start(held["weights"], shape, json.loads(held["card"]))
        start.any_network()
    except Exception as error:
        raise ConfigurationError(
            f"Expected a start made by `dip educate`; got {name}, which is none ({error})."
        ) from error
    return start


@lru_cache(maxsize=4)
def shipped_start(name: str) -> Start:
    """The start of that name that comes with the package: `denoise` or `super-resolution`.

    >>> shipped_start("super-resolution").network()(torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32)).shape
    torch.Size([1, 3, 32, 32])
    """
    return decoded_start(_shipped(name), name)


@lru_cache(maxsize=4)
def shipped_sha256(name: str) -> str:
    """Checksum of the file of a start that comes with the package.

    >>> len(shipped_sha256("denoise"))
    64
    """
    return hashlib.sha256(_shipped(name)).hexdigest()


@lru_cache(maxsize=4)
def start_in(path: str, sha256: str | None) -> Start:
    """The start in a file.

    Args:
        path: of the file.
        sha256: its checksum, if it is known; with another the file has changed.

    Raises:
        ConfigurationError: it cannot be read, has changed, or is no start.

    >>> start_in("nowhere.pt", None)
    Traceback (most recent call last):
    dip.errors.ConfigurationError: Expected the file of a start; nowhere.pt cannot be read: ...
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"Expected the file of a start; {path} cannot be read: {error}.") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ConfigurationError(f"Expected the start that the run began with; {path} has changed since.")
    return decoded_start(content, path)


def _shipped(name: str) -> bytes:
    return resources.files("dip.parameterizations").joinpath(SHIPPED, f"{name}.pt").read_bytes()
