"""What libraries remark on a file while they read it, kept off the console, for the image's row."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HEARD = ("tifffile", "PIL", "imagecodecs", "netpbmfile")
_LIBRARIES = (*_HEARD, "tifftools")


class _Collector(logging.Handler):
    """Collects the warnings of one thread: several read at a time."""

    def __init__(self, remarks: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._remarks, self._thread = remarks, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        remark = f"{record.name} remarked: {record.getMessage()}"
        is_ours = record.thread == self._thread and record.name.startswith(_HEARD)
        if is_ours and remark not in self._remarks:
            self._remarks.append(remark)


@contextmanager
def kept_off_the_console() -> Iterator[list[str]]:
    """The warnings of the libraries that read images within the block, as sentences of their own."""
    remarks: list[str] = []
    collector = _Collector(remarks)
    for logger in map(logging.getLogger, _LIBRARIES):
        logger.addHandler(collector)
    try:
        yield remarks
    finally:
        for logger in map(logging.getLogger, _LIBRARIES):
            logger.removeHandler(collector)
