"""What a run is made with: the commit of this program, and the machine that begins it."""

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import dip

_PROCESSORS = Path("/proc/cpuinfo")


def commit() -> str | None:
    """The commit that this program was installed from, or that its checkout is at; None if nothing tells."""
    return _installed_from() or _checked_out()


def machine() -> str:
    """Processor, cores and system of this machine, without its name."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"


def _installed_from() -> str | None:
    """What pip has noted of an installation from a repository (PEP 610)."""
    try:
        noted = distribution("dip-restoration").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    found: str | None = json.loads(noted or "{}").get("vcs_info", {}).get("commit_id")
    return found


def _checked_out() -> str | None:
    root = Path(dip.__file__).parent.parent
    if not (root / ".git").exists() or shutil.which("git") is None:
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None


def _processor() -> str:
    lines = _PROCESSORS.read_text().splitlines() if _PROCESSORS.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
