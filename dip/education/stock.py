"""The pictures that lessons are cut from: a stock of the last drawn ones, renewed one by one."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process

import numpy as np
from numpy.typing import NDArray

from dip.drawing import draw_picture

Bytes = NDArray[np.uint8]

PICTURE_PX = 256
AHEAD = 16
"""Pictures that are being drawn while lessons are given."""


def picture_in_bytes(number: int) -> Bytes:
    """A drawn picture, (3, 256, 256), in 8 bits."""
    made: Bytes = np.rint(draw_picture(number, PICTURE_PX) * np.float32(255)).astype(np.uint8)
    return made


@contextmanager
def pictures_from(first: int) -> Iterator[Iterator[Bytes]]:
    """Pictures in the order of their numbers, without end, drawn ahead by a process of their own.

    Args:
        first: number of the first.
    """
    # Not forked: threads of torch may hold locks.
    with ProcessPoolExecutor(1, get_context("spawn"), _end_with_the_parent) as pool:
        try:
            yield _in_order(pool, first)
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_the_parent() -> None:
    """Leave no process behind, however the education ends."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def _in_order(pool: ProcessPoolExecutor, first: int) -> Iterator[Bytes]:
    waiting: deque[Future[Bytes]] = deque()
    number = first
    while True:
        while len(waiting) < AHEAD:
            waiting.append(pool.submit(picture_in_bytes, number))
            number += 1
        yield waiting.popleft().result()
