"""A Prefect server that lives as long as the process that started it: run by `flows.console.server`.

Its standard input is a pipe that nobody writes to. It ends where the other side of it does, whatever that was
ended by: a signal that cannot be caught leaves no time for farewells.
"""

import os
import shutil
import sys
import threading


def main(port: int, home: str) -> None:
    """Serve on the loopback interface until SIGTERM, or until standard input ends.

    Args:
        port: to listen at.
        home: folder of the server's own, which is removed once standard input has ended.
    """
    threading.Thread(target=_end_with_input, args=(home,), daemon=True).start()
    import uvicorn  # takes a while, in which the other side can end, too

    app = "prefect.server.api.server:create_app"
    uvicorn.run(app, factory=True, host="127.0.0.1", port=port, log_level="error", lifespan="on")


def _end_with_input(home: str) -> None:
    """Nobody is left to be served, and nothing is worth keeping."""
    os.read(sys.stdin.fileno(), 1)
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
