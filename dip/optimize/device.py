"""Where the optimisation runs, and in which precision it can run there."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from dip.errors import ConfigurationError


def resolve_device(name: str) -> torch.device:
    """The device called `auto`, `cpu`, `cuda` or `cuda:n`; `auto` is the first GPU if there is one.

    Raises:
        ConfigurationError: there is no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigurationError(f"Expected a device auto, cpu, cuda or cuda:N; got {name!r}.") from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigurationError(f"Expected a device auto, cpu, cuda or cuda:N; got {name!r}.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"Expected a device of this machine, which has {torch.cuda.device_count()} GPUs; got {name!r}."
        )
    return device


def body_precision(device: torch.device, wanted: torch.dtype) -> torch.dtype:
    """`wanted`, or float32 where the processor would only emulate bfloat16."""
    if wanted is torch.bfloat16 and not _has_bfloat16(device):
        return torch.float32
    return wanted


def in_precision(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """A block whose convolutions have this precision; with float32 all stays as it is."""
    return torch.autocast(device.type, precision, enabled=precision is not torch.float32)


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@contextmanager
def repeatable_on(device: torch.device) -> Iterator[None]:
    """Arithmetic that can be repeated, for the time of the block.

    On a CPU, one thread: sums are split among threads, so that a result's last bits depend on their
    number, and with one it does not matter how many workers share the machine. A batch keeps the
    other cores busy. On a GPU, which becomes the current one, float32 is float32, not TF32, which keeps
    some fits from converging, and the convolutions' algorithms are fixed ones; padding and upsampling are
    ours, since torch's add up their gradients in any order there.
    """
    threads, cudnn = torch.get_num_threads(), torch.backends.cudnn
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        with (
            torch.cuda.device(device) if device.type == "cuda" else nullcontext(),
            cudnn.flags(enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            yield
    finally:
        torch.set_num_threads(threads)
