"""One run at a time on an output: who works there says so in a file of the output's own.

A contender writes a ticket under a name of its own, and then lists the tickets there are. Of any two the
one that lists later sees the other's, so that no two find themselves alone. Who is not alone takes the
ticket back and looks again a little later. Of a storage this asks only that a listing shows what was
written before it; exclusive writes, which many S3 servers take for common ones, are not needed.

A ticket is written once. Its process writes signs of life to a file beside it, so that a ticket that
somebody else has removed never comes back.
"""

import json
import os
import random
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import Field, TypeAdapter, ValidationError

from dip.errors import ConfigurationError, StorageError, TakenOverError
from dip.storage import Location
from flows.progress import printable

PREFIX = "dip-lock-"
SIGN_EVERY_S = 10.0
DEAD_AFTER_S = 60.0
"""A process of another machine that gives no sign for so long counts as dead."""
LOOK_EVERY_S = 5.0
LONGEST_PAUSE_S = 2.0
"""At most so long a contender waits that met another, before it looks again."""


@dataclass(frozen=True)
class Ticket:
    """Who works on an output, or wants to.

    Attributes:
        lock_id: sorts by the time it was written at.
        host: name of the machine.
        machine: tells machines of one name apart, and containers that do not see each other's processes.
        process_id: on that machine.
        started_at: in ISO 8601.
    """

    lock_id: str
    host: str
    machine: str
    process_id: Annotated[int, Field(ge=0, lt=2**31)]
    started_at: str

    @property
    def name(self) -> str:
        """Of the ticket's file."""
        return f"{PREFIX}{self.lock_id}.json"

    @property
    def sign(self) -> str:
        """Name of the file with the last sign of life."""
        return f"{PREFIX}{self.lock_id}.sign"

    def __str__(self) -> str:
        told = f"{self.lock_id} (process {self.process_id} on {self.host}, started at {self.started_at})"
        return printable(told)


_READER = TypeAdapter(Ticket)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class Lock:
    """A lock that is held: a thread gives signs of life, and looks whether the ticket is still there."""

    def __init__(self, output: Location, ticket: Ticket) -> None:
        self._output, self._ticket = output, ticket
        self._abort: Callable[[BaseException], None] | None = None
        self._released = threading.Event()
        self._error: TakenOverError | None = None
        self._thread = threading.Thread(target=self._give_signs, name=ticket.lock_id, daemon=True)
        self._thread.start()

    def on_loss(self, abort: Callable[[BaseException], None]) -> None:
        """Have a function called with a TakenOverError when another run has taken the output over."""
        self._abort = abort
        if self._error is not None:
            abort(self._error)

    def release(self) -> None:
        """End the signs of life.

        Raises:
            TakenOverError: another run has taken the output over.
        """
        self._released.set()
        self._thread.join(SIGN_EVERY_S)  # storage that fails can hold it up for longer
        if self._error is not None:
            raise self._error

    def _give_signs(self) -> None:
        while not self._released.wait(SIGN_EVERY_S):
            # Storage that fails for good ends the run by what the run itself reads and writes.
            with suppress(StorageError):
                if not self._output.exists(self._ticket.name):
                    self._lose()
                    return
                self._output.write(self._ticket.sign, _now().isoformat().encode())

    def _lose(self) -> None:
        # Between the end of this ticket and the beginning of the other's there is a moment without any.
        others = "; ".join(map(str, _tickets(self._output))) or "not named yet, or the output was removed"
        self._error = TakenOverError(
            f"Expected to work on {self._output.url} alone; another run has taken it over "
            f"({others}). What this one, {self._ticket.lock_id}, has finished is safe."
        )
        if self._abort is not None:
            self._abort(self._error)


@contextmanager
def locked(output: Location, take_over: bool) -> Iterator[Lock]:
    """Keep other runs off an output for the time of the block.

    Args:
        output: that nobody else may work on.
        take_over: take the lock from whoever has it, dead or not.

    Raises:
        ConfigurationError: another run works on the output.
        TakenOverError: another run has taken the output over within the block.
        StorageError: the output cannot be listed or written to.
    """
    while True:
        _check_free(output, take_over)
        with _ticket(output) as ticket:
            if _ticket_names(output) == [ticket.name]:
                lock = Lock(output, ticket)
                try:
                    yield lock
                finally:
                    lock.release()
                return
        take_over = False  # who has come meanwhile is alive
        time.sleep(random.uniform(0, LONGEST_PAUSE_S))


def is_lock(name: str) -> bool:
    """Whether a file in an output belongs to a lock."""
    return name.startswith(PREFIX)


def _check_free(output: Location, take_over: bool) -> None:
    """Remove the locks of dead processes, or all locks."""
    for ticket in _tickets(output):
        if not take_over and not _is_dead(output, ticket):
            raise ConfigurationError(
                f"Expected an output that no run works on; {output.url} is in use by the run {ticket}. "
                f"Wait for its end. If it is dead, the same line works {DEAD_AFTER_S:.0f} s from now; "
                "dip restore, evaluate and study need not wait with --take-over."
            )
        output.delete([ticket.name, ticket.sign])


@contextmanager
def _ticket(output: Location) -> Iterator[Ticket]:
    """A ticket of this process in the output for the time of the block."""
    now = _now()
    ticket = Ticket(
        lock_id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        host=socket.gethostname(),
        machine=_machine(),
        process_id=os.getpid(),
        started_at=now.isoformat(),
    )
    output.write(ticket.name, json.dumps(asdict(ticket), indent=2).encode())
    try:
        yield ticket
    finally:
        # Storage that fails must not hide why the run ends; what stays behind is found dead.
        with suppress(StorageError):
            output.delete([ticket.name, ticket.sign])


def _is_dead(output: Location, ticket: Ticket) -> bool:
    if ticket.machine == _machine() and not psutil.pid_exists(ticket.process_id):
        return True
    last = _last_sign(output, ticket)
    # Clocks may differ: what they call fresh is alive, what they call old is watched.
    if abs((_now() - last).total_seconds()) < DEAD_AFTER_S:
        return False
    print(
        f"{output.url} may be in use by the run {ticket}; waiting {DEAD_AFTER_S:.0f} s for a sign of it.",
        file=sys.stderr,
        flush=True,
    )
    for _ in range(round(DEAD_AFTER_S / LOOK_EVERY_S)):
        time.sleep(LOOK_EVERY_S)
        if _last_sign(output, ticket) != last:
            return False
    return True


def _last_sign(output: Location, ticket: Ticket) -> datetime:
    sign = _content(output, ticket.sign)
    return _time(ticket.started_at if sign is None else sign.decode(errors="replace"))


def _time(text: str) -> datetime:
    """A time in ISO 8601; long ago where the text is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _LONG_AGO
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _tickets(output: Location) -> list[Ticket]:
    contents = ((name, _content(output, name)) for name in _ticket_names(output))
    return [_read_ticket(name, content) for name, content in contents if content is not None]


def _read_ticket(name: str, content: bytes) -> Ticket:
    """A ticket; its file's name says which it is, whatever stands in it. One without sense is nobody's."""
    lock_id = name.removeprefix(PREFIX).removesuffix(".json")
    try:
        return replace(_READER.validate_json(content), lock_id=lock_id)
    except ValidationError:
        return Ticket(lock_id, host="unknown", machine="", process_id=0, started_at=_LONG_AGO.isoformat())


def _ticket_names(output: Location) -> list[str]:
    return sorted(name for name in output.names() if is_lock(name) and name.endswith(".json"))


def _content(output: Location, name: str) -> bytes | None:
    """The bytes of a file that may be gone by now."""
    try:
        return output.read(name)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _machine() -> str:
    """This start of this machine, and whose processes can be seen from here."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{started} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # systems other than Linux, all of whose processes see each other
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
