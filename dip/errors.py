"""Everything that can go wrong, as one tree.

    DipError
    ├── ConfigurationError    the run could not be started as asked
    ├── TakenOverError        another run took the output over
    ├── StorageError          a location could not be listed, read or written
    │   └── OutputError       nothing can be written any more; the run ends, and continues later
    ├── ImageError            one image cannot be restored; the batch goes on
    │   ├── UnreadableImageError
    │   ├── UnsupportedImageError
    │   ├── ImageTooLargeError
    │   ├── ImageTimeoutError
    │   └── MaskError
    ├── ImageSkipped          one image needs no restoration; the batch goes on
    ├── DivergenceError       the optimisation of one image did not converge
    ├── DeviceLostError       this process cannot reach its GPU any more; another one may
    └── ClusterError          there are no workers to run on

Each takes one message, so that it survives the way back from a worker process.
"""

from collections.abc import Collection


class DipError(Exception):
    """Base of all errors that a user can cause and a caller may want to catch."""


class ConfigurationError(DipError):
    """The run could not be started as asked."""


class TakenOverError(DipError):
    """Another run took the output over."""


class StorageError(DipError):
    """A location could not be listed, read or written."""


class OutputError(StorageError):
    """Nothing can be written any more, whichever the image."""


class ImageError(DipError):
    """One image cannot be restored."""


class UnreadableImageError(ImageError):
    """The bytes are not a whole image of a known format."""


class UnsupportedImageError(ImageError):
    """The image is sound, but of a kind that would be flattened or misread."""


class ImageTooLargeError(ImageError):
    """The image has more pixels than a restoration can hold."""


class ImageTimeoutError(ImageError):
    """The image takes longer than it may."""


class MaskError(ImageError):
    """The mask of an image is unreadable or of another size."""


class ImageSkipped(DipError):  # noqa: N818 - not a failure
    """The image needs no restoration."""


class DivergenceError(DipError):
    """The optimisation of one image did not converge."""


class DeviceLostError(DipError):
    """This process cannot reach its GPU any more, whichever the image."""


class ClusterError(DipError):
    """There are no workers to run on, or they were lost."""


TINY = 1e-9
"""The least of a range that leaves 0 out."""


def check_between(expected: str, value: float | None, least: float, most: float) -> None:
    """Raise a ConfigurationError, if there is a value and it is out of its range, or no number at all."""
    if value is not None and not least <= value <= most:
        raise ConfigurationError(f"Expected {expected}; got {value}.")


def check_one_of(what: str, value: object, allowed: Collection[object]) -> None:
    """Raise a ConfigurationError that lists what is allowed, if the value is none of it."""
    if value not in allowed:
        raise ConfigurationError(f"Expected {what} of {', '.join(map(str, allowed))}; got {value!r}.")
