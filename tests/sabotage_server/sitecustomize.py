"""Every temporary Prefect server that has this folder on its PYTHONPATH ends before it answers."""

import os
import sys

if "flows.console.temporary_server" in sys.orig_argv:
    print("first words\n\nOSError: no room for a server", file=sys.stderr, flush=True)
    os._exit(3)
