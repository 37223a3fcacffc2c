"""Patience with a storage that fails for a while: throttled, restarted, cut off in the middle of an answer.

s3fs and botocore try again by themselves, five times each and one inside the other: 25 requests in half a
minute where a server refuses, in six minutes where it hangs, while a lost connection is given up after ten
seconds. `trying_once` has them try once, so that there is one count, and one bound in time.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar
from weakref import WeakSet

from fsspec import AbstractFileSystem

PATIENCE_S = 90.0
"""A storage that fails is tried again for so long; the try under way then ends by the client's timeouts."""
FIRST_CONTACT_S = 15.0
"""The same where nothing has answered yet: the address is wrong, rather than its server away."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0

DAMAGED_ON_THE_WAY = ("BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch")
"""What S3 says, with the status 400, of a request that did not arrive whole."""

T = TypeVar("T")

_answered: "WeakSet[AbstractFileSystem]" = WeakSet()
_given_up, _reached = threading.Event(), threading.Event()


@contextmanager
def given_up_if_interrupted() -> Iterator[None]:
    """Try nothing again once the block is left by Ctrl-C, SIGTERM, or Prefect's own way to say it.

    This process is to end then, and none of its threads to hold it up.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception):
            _given_up.set()
        raise


def have_patience(reached: bool = False) -> None:
    """Try again what fails, as ever.

    Args:
        reached: whether another process has reached the storages, so that their addresses must be right.
    """
    _given_up.clear()
    if reached:
        _reached.set()


def retried(action: Callable[[], T], storage: AbstractFileSystem) -> T:
    """What an action on a storage gives, tried again with growing waits as long as its failure may heal.

    Raises:
        Exception: the action's last one; a note on it says how often and how long it was tried.
    """
    start, tries = time.monotonic(), 0
    while True:
        tries += 1
        try:
            result = action()
        except Exception as error:
            status, code = _answer(error)
            if status is not None:
                _answered.add(storage)
            if not _may_heal(error, status, code):
                raise
            wait_s = random.uniform(0.5, 1) * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (tries - 1))
            passed_s = time.monotonic() - start
            is_known = storage in _answered or _reached.is_set()
            if passed_s + wait_s > (PATIENCE_S if is_known else FIRST_CONTACT_S):
                error.add_note(f"tried {tries} times in {passed_s:.0f} s")
                raise
            if _given_up.wait(wait_s):
                raise
        else:
            _answered.add(storage)
            return result


CLIENT = {
    "retries": {"total_max_attempts": 1},
    # With a part of an object some servers send the checksum of the whole: botocore takes it for damaged.
    "response_checksum_validation": "when_required",
}


def trying_once(storage: AbstractFileSystem, is_new: bool) -> AbstractFileSystem:
    """A file system without the retries of s3fs, and those of botocore unless its options ask for them.

    Args:
        storage: whose place it takes; the whole process shares that one, and it stays as it is.
        is_new: whether it has connections of its own, or those of all with the same options.
    """
    if "s3" not in storage.protocol:
        return storage
    client = {**CLIENT, **storage.config_kwargs}
    options = {**storage.storage_options, "config_kwargs": client, "skip_instance_cache": is_new}
    of_one_try = _of_one_try(type(storage))  # type: ignore[arg-type]  # classes are hashable
    return of_one_try(*storage.storage_args, **options)


@cache
def _of_one_try(kind: type[AbstractFileSystem]) -> type[AbstractFileSystem]:
    return type(f"{kind.__name__}OfOneTry", (kind,), {"retries": 1})


def _may_heal(error: BaseException, status: int | None, code: str) -> bool:
    if status is not None:
        return status in (408, 429) or status >= 500 or code in DAMAGED_ON_THE_WAY
    passing, lasting = _connection_errors()
    return isinstance(error, passing) and not isinstance(error, lasting)


def _answer(error: BaseException) -> tuple[int | None, str]:
    """HTTP status and S3's code of the answer that an error was made from; None where none came."""
    for cause in (error, error.__cause__):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):  # botocore's ClientError
            return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"].get("Code", "")
        status = getattr(cause, "status", None)  # aiohttp's ClientResponseError
        if isinstance(status, int):
            return status, ""
    return None, ""


def _connection_errors() -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """What comes of lost connections and bodies that end too soon; which of that stays as it is."""
    # Not needed, and slow to load, as long as all goes well.
    import aiohttp
    from botocore import exceptions as s3
    from botocore.parsers import ResponseParserError

    passing = (
        ConnectionError,
        TimeoutError,
        aiohttp.ClientConnectionError,
        aiohttp.ClientPayloadError,
        s3.HTTPClientError,
        s3.ConnectionError,
        s3.IncompleteReadError,
        s3.FlexibleChecksumError,
        ResponseParserError,
    )
    return passing, (aiohttp.ClientSSLError, s3.SSLError)
