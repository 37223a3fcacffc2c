"""What backends of storages raise, as sentences."""

import contextlib
import errno
from collections.abc import Iterator

from dip.errors import OutputError, StorageError

_ARCHIVED = "InvalidObjectState"
"""What S3 says of an object in an archive tier, such as Glacier."""
_NOT_WRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@contextlib.contextmanager
def translated(path: str, verb: str) -> Iterator[None]:
    """Whatever an fsspec backend raises, as a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        hint = " A name that is not Unicode has to be changed first." if "\\x" in path else ""
        raise StorageError(f"Expected to {verb} {path}; it does not exist ({error}).{hint}") from error
    except PermissionError as error:
        if _ARCHIVED in repr(error.__cause__) or "storage class" in str(error):
            raise StorageError(
                f"Expected to {verb} {path}; it lies in an archive tier ({error}). "
                "Restore it from there first, then run the same line with --retry-failed."
            ) from error
        raise StorageError(
            f"Expected to {verb} {path}; access was refused ({error}). Check permissions and credentials."
        ) from error
    except Exception as error:  # backends raise errors of their own client libraries
        if getattr(error, "errno", None) in _NOT_WRITABLE:
            raise OutputError(
                f"Expected to {verb} {path}; its disk is full or read-only ({error}). "
                "What is finished is safe; the same line continues the run once the disk takes more."
            ) from error
        reason = "; ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        raise StorageError(f"Expected to {verb} {path}; the storage failed ({reason}).") from error
