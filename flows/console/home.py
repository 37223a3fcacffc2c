"""A home for Prefect, which writes to one as soon as it is imported."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_HOME = "PREFECT_HOME"


def have_a_home() -> None:
    """Name a folder for the time of this process where PREFECT_HOME or the user's home cannot be written."""
    named = os.environ.get(_HOME)
    home = Path(named) if named else Path(os.path.expanduser("~"), ".prefect")  # noqa: PTH111 - raises nothing
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        is_writable = False
    else:
        is_writable = os.access(home, os.W_OK | os.X_OK)
    if not is_writable:
        folder = tempfile.mkdtemp(prefix="dip-prefect-home-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ[_HOME] = folder
