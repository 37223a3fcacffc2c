"""One run at a time on an output: locks of the living, the dead, and of those that cannot be told apart."""

import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from dip.errors import ConfigurationError, TakenOverError
from dip.storage import Location
from flows.runs import lock
from flows.runs.lock import Ticket, locked
from tests.conftest import files_below, wait_for, write_photographs
from tests.test_archive import rows_of
from tests.test_cluster import SLOW, records

CONTENDERS = 6


def ticket_of(host: str = "elsewhere", age_s: float = 0, **changed) -> Ticket:
    """A ticket of another machine."""
    started_at = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
    return Ticket(
        **{
            "lock_id": "other",
            "host": host,
            "machine": host,
            "process_id": 1,
            "started_at": started_at,
            **changed,
        }
    )


def ticket_of_a_dead_process() -> Ticket:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    return ticket_of(machine=lock._machine(), process_id=dead.pid)


def leave(output: Location, ticket: Ticket) -> None:
    output.write(ticket.name, json.dumps(asdict(ticket)).encode())


def seconds(monkeypatch, **constants: float) -> None:
    for name, value in constants.items():
        monkeypatch.setattr(lock, name, value)


@pytest.fixture(params=["folder", "s3"])
def output(request, tmp_path) -> Location:
    if request.param == "folder":
        return Location(str(tmp_path / "out"))
    s3 = request.getfixturevalue("s3")
    options = {
        "endpoint_url": s3.endpoint,
        "key": s3.environment["AWS_ACCESS_KEY_ID"],
        "secret": s3.environment["AWS_SECRET_ACCESS_KEY"],
    }
    return Location(f"s3://archive/{tmp_path.name}", options)


def test_of_many_at_once_one_works_and_the_others_are_told_of_it(output, monkeypatch):
    seconds(monkeypatch, LONGEST_PAUSE_S=0.5)
    all_others_refused = threading.Semaphore(0)
    starting_together = threading.Barrier(CONTENDERS)

    def contend(_) -> str:
        starting_together.wait()
        try:
            with locked(output, take_over=False):
                for _ in range(CONTENDERS - 1):
                    assert all_others_refused.acquire(timeout=60)
                return "worked"
        except ConfigurationError as error:
            all_others_refused.release()
            return str(error)

    with ThreadPoolExecutor(CONTENDERS) as pool:
        outcomes = sorted(pool.map(contend, range(CONTENDERS)))
    assert outcomes.count("worked") == 1
    assert all(f"process {os.getpid()} on " in outcome for outcome in outcomes[:-1])
    assert output.names() == []


def test_lock_of_a_dead_process_is_taken_over_silently(output, capsys):
    leave(output, ticket_of_a_dead_process())
    with locked(output, take_over=False):
        assert f"{lock.PREFIX}other.json" not in output.names()
    assert output.names() == []
    assert capsys.readouterr() == ("", "")


def test_lock_of_a_dead_process_is_removed_on_systems_without_proc(tmp_path, monkeypatch, capsys):
    read_text = Path.read_text

    def without_proc(path, *options):
        if path.is_relative_to("/proc"):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return read_text(path, *options)

    monkeypatch.setattr(Path, "read_text", without_proc)
    output = Location(str(tmp_path / "out"))
    leave(output, ticket_of_a_dead_process())
    with locked(output, take_over=False):
        assert f"{lock.PREFIX}other.json" not in output.names()
    assert capsys.readouterr() == ("", "")


def test_lock_of_another_machine_is_heeded_unless_it_is_taken_over(output):
    ticket = ticket_of()
    leave(output, ticket)
    with pytest.raises(ConfigurationError) as refusal, locked(output, take_over=False):
        pass
    said = str(refusal.value)
    for part in (output.url, "other", "process 1 on elsewhere", ticket.started_at, "--take-over"):
        assert part in said
    assert output.names() == [ticket.name]
    with locked(output, take_over=True):
        assert len(output.names()) == 1
    assert output.names() == []


@pytest.mark.parametrize("content", [b"", b"[]", b'{"lock_id": "../../in/a", "host": 3}', b"\xff"])
def test_lock_without_sense_is_nobodys_and_names_no_other_file(tmp_path, monkeypatch, content):
    seconds(monkeypatch, DEAD_AFTER_S=0.2, LOOK_EVERY_S=0.1)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text("{}")
    output = Location(str(tmp_path / "out"))
    output.write(f"{lock.PREFIX}odd.json", content)
    output.write(f"{lock.PREFIX}odd.sign", content)
    with locked(output, take_over=False):
        assert len(output.names()) == 1
    assert output.names() == []
    assert (tmp_path / "in" / "a.json").exists()


def test_name_in_a_lock_stays_a_name(tmp_path):
    output = Location(str(tmp_path / "out"))
    odd = ticket_of(host="a\x1b[31m\nb", lock_id="../elsewhere")
    output.write(f"{lock.PREFIX}odd.json", json.dumps(asdict(odd)).encode())
    with pytest.raises(ConfigurationError) as refusal, locked(output, take_over=False):
        pass
    assert r"run odd (process 1 on a\x1b[31m\x0ab," in str(refusal.value)


def test_old_lock_of_another_machine_is_watched_for_signs(tmp_path, monkeypatch, capsys):
    seconds(monkeypatch, DEAD_AFTER_S=1, LOOK_EVERY_S=0.1)
    output = Location(str(tmp_path))
    ticket = ticket_of(age_s=3600)
    leave(output, ticket)
    alive = threading.Timer(0.3, output.write, [ticket.sign, b"2020-01-01T00:00:00+00:00"])  # by its clock
    alive.start()
    with pytest.raises(ConfigurationError, match="in use by the run other"), locked(output, take_over=False):
        pass
    assert "waiting 1 s for a sign" in capsys.readouterr().err
    with locked(output, take_over=False):
        assert ticket.name not in output.names()


def test_who_is_taken_over_is_told_so_and_gives_no_more_signs(tmp_path, monkeypatch):
    seconds(monkeypatch, SIGN_EVERY_S=0.1)
    output = Location(str(tmp_path))
    aborted = threading.Event()

    def be_taken_over() -> None:
        with locked(output, take_over=False) as mine:
            mine.on_loss(lambda _: aborted.set())
            wait_for(lambda: len(output.names()) == 2, "the first sign of life", 5)
            with locked(output, take_over=True):
                assert aborted.wait(5)

    with pytest.raises(TakenOverError, match="another run has taken it over"):
        be_taken_over()
    assert output.names() == []


def test_lock_ends_with_its_run_however_that_ends(tmp_path):
    with pytest.raises(KeyboardInterrupt), locked(Location(str(tmp_path)), take_over=False):
        raise KeyboardInterrupt
    assert files_below(tmp_path) == {}


def test_of_two_runs_at_once_one_finishes_and_the_other_is_refused(dip, tmp_path):
    write_photographs(tmp_path / "in", 4)
    line = dip.command("restore", tmp_path / "in", tmp_path / "out", *SLOW, "--workers", 1)
    start = partial(subprocess.Popen, line, env=dip.environment, stderr=subprocess.PIPE, text=True)
    with start() as one, start() as other:
        errors = {run: run.communicate(timeout=200)[1] for run in (one, other)}
    finished, refused = sorted((one, other), key=lambda run: run.returncode)
    assert (finished.returncode, refused.returncode) == (0, 2), errors
    assert len(errors[refused].splitlines()) == 1
    assert f"(process {finished.pid} on {socket.gethostname()}, started at 20" in errors[refused]
    assert len(rows_of(tmp_path / "out")) == 4
    assert not list((tmp_path / "out").glob(f"{lock.PREFIX}*"))


def test_run_takes_over_if_it_is_told_to_and_ends_if_it_is_taken_over(dip, tmp_path):
    write_photographs(tmp_path / "in", 12)
    output = Location(str(tmp_path / "out"))
    leave(output, ticket_of())
    line = dip.command("restore", tmp_path / "in", output.url, *SLOW, "--workers", 1, "--take-over")
    with subprocess.Popen(line, env=dip.environment, stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: records(tmp_path / "out"), "the first restoration")
        with locked(output, take_over=True):
            _, errors = run.communicate(timeout=60)
    assert run.returncode == 2, errors
    assert "another run has taken it over" in errors
    assert "Traceback" not in errors
