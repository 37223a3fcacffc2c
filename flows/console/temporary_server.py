"""A Prefect server that lives as long as the process that started it: run by `flows.console.server`.

Its standard input is a pipe that nobody writes to. It ends where the other side of it does, whatever that was
ended by: a signal that cannot be caught leaves no time for farewells.
"""

import os
import shutil
import signal
import sys
import threading
import time

ENDS_WITHIN_S = 3.0


def main(port: int, home: str) -> None:
    """Serve on the loopback interface until SIGTERM, or until standard input ends.

    Args:
        port: to listen at.
        home: folder of the server's own, which is removed at the end.
    """
    import uvicorn

    threading.Thread(target=_end_with_input, args=(home,), daemon=True).start()
    app = "prefect.server.api.server:create_app"
    uvicorn.run(app, factory=True, host="127.0.0.1", port=port, log_level="error", lifespan="on")


def _end_with_input(home: str) -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDS_WITHIN_S)
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
