"""The temporary Prefect server of a run is the run's alone, and ends with it, however that ends."""

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import executable, write_photographs

SABOTAGE = Path(__file__).parent / "sabotage"
SERVERS = Path(__file__).parent / "sabotage_server"
MARK = "DIP_TEST_MARK"
GONE_WITHIN_S = 10
LIVES = ("--task", "denoise", "--method", "none", "--workers", "1")


@pytest.fixture
def alone(tmp_path) -> dict[str, str]:
    """An environment that names no Prefect server, and tells its processes from others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    for name in ("tmp", "home"):
        (tmp_path / name).mkdir()
    return {
        **others,
        "TMPDIR": str(tmp_path / "tmp"),
        "HOME": str(tmp_path / "home"),
        MARK: secrets.token_hex(16),
    }


def command(folder: Path) -> list[str]:
    return [executable("dip"), "restore", str(folder / "in"), str(folder / "out"), *LIVES]


def processes_of(environment: dict[str, str]) -> dict[int, str]:
    """Commands of the processes that were started in an environment, zombies aside."""
    mark, found = f"{MARK}={environment[MARK]}".encode(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


def servers_of(environment: dict[str, str]) -> list[int]:
    return [number for number, line in processes_of(environment).items() if "temporary_server" in line]


def homes_in(environment: dict[str, str]) -> list[Path]:
    return sorted(Path(environment["TMPDIR"]).glob("dip-prefect-*"))


def heed_signals() -> None:
    """What whoever runs the tests ignores, as behind nohup, their processes would ignore, too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def under_way(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen]:
    """A run that sleeps over its image."""
    write_photographs(folder / "in", 1)
    asleep = folder / "asleep"
    slow = {**environment, "PYTHONPATH": str(SABOTAGE), "SABOTAGED_SLEEP_S": "100"}
    slow["SABOTAGED_ASLEEP"] = str(asleep)
    line = command(folder)
    with (folder / "said").open("wb") as said:
        run = subprocess.Popen(
            line, env=slow, stderr=said, stdout=said, start_new_session=True, preexec_fn=heed_signals
        )
        try:
            wait_until(asleep.exists, 200)
            assert run.poll() is None, (folder / "said").read_text()
            assert servers_of(environment)
            yield run
        finally:
            for number in processes_of(environment):
                os.kill(number, signal.SIGKILL)
            run.wait()


def wait_until(condition, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_nothing_is_left_of_a_run_that_is_ended(alone, tmp_path, how):
    with under_way(alone, tmp_path) as run:
        assert homes_in(alone)
        if how == "Ctrl-C":
            os.killpg(run.pid, signal.SIGINT)  # as a terminal does, to all that run in it
        else:
            run.send_signal(getattr(signal, how))
        run.wait(200)
        assert wait_until(lambda: not processes_of(alone), GONE_WITHIN_S), processes_of(alone)
        assert homes_in(alone) == []
        said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    if how != "SIGKILL":
        assert run.returncode == 130
        assert "the same line continues the run" in said


@contextmanager
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """An address at which everything that comes is noted, and nothing answered."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(200))

        threading.Thread(target=listen, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", heard
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_server_is_reached_past_a_proxy(alone, tmp_path, kind):
    write_photographs(tmp_path / "in", 1)
    with proxy() as (address, heard):
        url = f"{kind}://{address}"
        names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
        environment = {**alone, **dict.fromkeys(names, url), "NO_PROXY": "example.org"}
        environment.pop("no_proxy", None)
        line = command(tmp_path)
        run = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=560)
    assert run.returncode == 0, run.stderr
    assert heard == []
    assert wait_until(lambda: not processes_of(alone), GONE_WITHIN_S), processes_of(alone)
    assert homes_in(alone) == []
    assert list((tmp_path / "home").rglob("*.db")) == [], "the user's own server has nothing of it"


def test_server_that_does_not_start_is_told_of_in_its_own_words(alone, tmp_path):
    write_photographs(tmp_path / "in", 1)
    line = command(tmp_path)
    environment = {**alone, "PYTHONPATH": str(SERVERS)}
    run = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=560)
    assert run.returncode == 2
    assert "it ended with code 3. Its last line: OSError: no room for a server." in run.stderr
    assert "PREFECT_API_URL" in run.stderr
    assert "Traceback" not in run.stderr
    assert homes_in(alone) == []
