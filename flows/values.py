"""Which values a flow run takes, one by one: what is wrong with one is said before anything begins."""

import re
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from dip.images.naming import IMAGE_SUFFIXES


def _absolute(path: str) -> str:
    """A path that means the same to workers, which may be elsewhere."""
    return str(Path(path).expanduser().absolute())


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError("expected a device auto, cpu, cuda or cuda:N")
    return name


def _suffix(text: str) -> str:
    if not re.fullmatch(r"[\w.+-]*", text):
        raise ValueError("expected letters, digits and . _ + - alone to follow the names of restored images")
    if PurePosixPath(f"a{text}").suffix.lower() in IMAGE_SUFFIXES:
        raise ValueError(
            "expected what precedes a format's own suffix, such as _restored; --format asks for one"
        )
    return text


Url = Annotated[str, Field(min_length=1)]
"""A folder, file or URL; an empty one would be the current folder."""

AbsolutePath = Annotated[Url, AfterValidator(_absolute)]
Device = Annotated[str, AfterValidator(_device)]
Suffix = Annotated[str, Field(max_length=100), AfterValidator(_suffix)]
Seconds = Annotated[float, Field(gt=0, le=10**8)]
"""Of a time limit: three years, and no infinity, which no clock could count down."""
