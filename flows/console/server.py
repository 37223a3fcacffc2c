"""The Prefect server a run reports to: the one that is configured, or a temporary one of the run's own."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from dip.errors import ConfigurationError

START_WITHIN_S = 300.0
END_WITHIN_S = 5.0
HOST = "127.0.0.1"
_PREFECT_SAYS = ("Failed to reach API", "Timed out while attempting to connect")


@contextmanager
def prefect_server() -> Iterator[None]:
    """A server that flows within the block report to; a temporary one lives as long as this process.

    Raises:
        ConfigurationError: it does not answer, or the temporary one does not start.
    """
    url = get_current_settings().api.url
    if url is None:
        url = _temporary_server()
        _reach_past_proxies(url)
    with _said_if_it_does_not_answer(url), temporary_settings({PREFECT_API_URL: url}):
        yield


@contextmanager
def _said_if_it_does_not_answer(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, RuntimeError, ImportError) as error:
        is_proxy = isinstance(error, ImportError) and "socks" in str(error)
        is_silent = isinstance(error, RuntimeError) and str(error).startswith(_PREFECT_SAYS)
        if not (is_proxy or is_silent or isinstance(error, httpx.TransportError)):
            raise
        raise ConfigurationError(
            f"Expected a Prefect server at PREFECT_API_URL={url}; it does not answer ({error})."
        ) from error


def _reach_past_proxies(url: str) -> None:
    """Have this process report to a server on this machine, whatever proxies there are for others."""
    past = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), HOST]))
    for name, value in list(os.environ.items()):
        if name.lower().endswith("_proxy") and value.startswith("socks"):
            del os.environ[name]  # httpx loads what it needs for it even where it is not used
    os.environ |= {"NO_PROXY": past, "no_proxy": past, "PREFECT_API_URL": url}


def _temporary_server() -> str:
    """The URL of a server that ends with this process, however that ends.

    Prefect tells it the last things at the very end: it stays until then.
    """
    try:
        home = Path(tempfile.mkdtemp(prefix="dip-prefect-"))
    except OSError as error:
        raise ConfigurationError(
            f"Expected room for a temporary Prefect server; {error}. Name another folder in TMPDIR, or a "
            "server in PREFECT_API_URL."
        ) from error
    port = _free_port()
    with (home / "server.log").open("wb") as log:
        process = _started(port, home, log)
    atexit.register(_end, process, home)
    _await_answer(process, port, home / "server.log")
    return f"http://{HOST}:{port}/api"


def _end(process: subprocess.Popen[bytes], home: Path) -> None:
    process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(home, ignore_errors=True)


def _started(port: int, home: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """The server's process. It reads from a pipe that this process holds open as long as it lives."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.console.temporary_server", str(port), str(home)],
        env=_environment(home),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the run alone, which then ends its server
    )


def _environment(home: Path) -> Mapping[str, str]:
    """This process's, but for what it says of other servers, databases and homes."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {
        **others,
        "HOME": str(home),
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers.

    Raises:
        ConfigurationError: it ended before, or does not answer in time.
    """
    deadline = time.monotonic() + START_WITHIN_S
    with httpx.Client(trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(f"http://{HOST}:{port}/api/health", timeout=5).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass  # not yet
            time.sleep(0.1)
    said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    ended = "does not answer" if process.poll() is None else f"ended with code {process.returncode}"
    raise ConfigurationError(
        f"Expected a Prefect server to start for the time of the run; it {ended}. "
        f"Its last line: {said[-1].strip() if said else 'none'}. A server that runs already can be named in "
        "PREFECT_API_URL."
    )
