"""What made a record: commit, versions, machine."""

import os
import platform
import subprocess

import torch


def commit() -> str:
    """The commit of this checkout, with a mark if it has changes; where there is none, what COMMIT says."""
    if "COMMIT" in os.environ:
        return os.environ["COMMIT"]
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def circumstances() -> dict[str, str]:
    """Commit, version of torch, and machine."""
    cores = f"{os.cpu_count()} cores, {len(os.sched_getaffinity(0))} used"
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    tiles = " AMX" if torch.cpu._is_amx_tile_supported() else ""
    processor = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}{tiles}"
    return {
        "commit": commit(),
        "torch": torch.__version__,
        "machine": ", ".join([*gpus, processor, cores]),
    }


def kind_of(device: torch.device) -> str:
    """What kind of device it is, as part of a file's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device).lower().replace(" ", "-")
    has_tiles = torch.cpu._is_amx_tile_supported()
    return "cpu-amx" if has_tiles else f"cpu-{torch.backends.cpu.get_cpu_capability().lower()}"
