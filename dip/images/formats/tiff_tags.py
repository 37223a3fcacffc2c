"""The tags of a TIFF, taken over as they are through tifftools."""

import io
import struct
from collections.abc import Iterator
from typing import Any

import tifftools

from dip.images import photoshop
from dip.images.metadata import Metadata

_LAYOUT_RANGES = (
    *[(254, 259), (262, 263), (266, 266), (273, 273), (277, 281), (284, 284), (288, 293), (317, 317)],
    *[(320, 325), (330, 330), (332, 334), (336, 336), (338, 341), (347, 347), (512, 521), (529, 532)],
)
LAYOUT_TAGS = frozenset(tag for first, last in _LAYOUT_RANGES for tag in range(first, last + 1))
"""Tags that say how pixels are stored: a derivative has its own."""

ORIENTATION, XMP, IPTC, PHOTOSHOP, ICC_PROFILE = 274, 700, 33723, 34377, 34675
_LAYERS, _ANNOTATIONS = 37724, 50255
BYTE, ASCII, SHORT, RATIONAL, UNDEFINED = 1, 2, 3, 5, 7
MAX_READS = 50_000
"""Of a file that holds next to nothing; a file of many pages has more tags."""
TAG_BYTES = 12

Tags = dict[int, Any]
Directory = dict[str, Any]


def directories_of(content: bytes) -> tuple[dict[int, Directory], bool]:
    """The directories of a file by where they begin, and whether numbers are big-endian.

    Raises:
        ValueError: they follow in a circle.
    """
    info = tifftools.read_tiff(_BoundedReader(content))
    return {found["offset"]: found for found in _all(info["ifds"])}, info["bigEndian"]


def _all(directories: list[Directory]) -> Iterator[Directory]:
    for directory in directories:
        yield directory
        for below in directory["tags"].get(330, {}).get("ifds", ()):
            yield from _all(below)


class _BoundedReader(io.BytesIO):
    """A file that refuses to be read for ever: in a damaged one, directories can follow in a circle."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._reads_left = MAX_READS + len(content) // TAG_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads_left -= 1
        if not self._reads_left:
            raise ValueError("more tags than it has room for")
        return super().read(size)


def carried_tags(directory: Directory, page: Any) -> tuple[Tags, tuple[str, ...]]:
    """The tags of a page but those of the layout and of the old pixels, and notes of what is dropped.

    Args:
        directory: as tifftools read it.
        page: as tifffile read it.
    """
    entries = directory["tags"].items()
    tags = {tag: entry for tag, entry in entries if tag not in LAYOUT_TAGS and "data" in entry}
    notes = []
    if tags.pop(_LAYERS, None) is not None:
        notes.append("Photoshop's layers were dropped: they show the image as it was.")
    notes += _join_twins(tags, page)
    resources = tags.get(PHOTOSHOP, {}).get("data")
    if isinstance(resources, bytes):
        kept = photoshop.without(resources, photoshop.THUMBNAILS)
        if len(kept) < len(resources) and photoshop.content_of(resources, photoshop.THUMBNAILS[1]):
            tags[PHOTOSHOP] = {**tags[PHOTOSHOP], "data": kept}
            notes.append(
                "The thumbnail in the Photoshop resources was dropped: it shows the image as it was."
            )
    return tags, tuple(notes)


def _join_twins(tags: Tags, page: Any) -> Iterator[str]:
    """Of several tags of one number tifftools knows the last: texts become one text with zeros between."""
    numbers = [tag.code for tag in page.tags]
    for number in {number for number in numbers if numbers.count(number) > 1} & set(tags):
        twins = [tag for tag in page.tags if tag.code == number]
        if tags[number]["datatype"] == ASCII:
            texts = dict.fromkeys(str(twin.value) for twin in twins)
            tags[number] = entry(ASCII, "\0".join(texts))
        else:
            yield f"Of {len(twins)} tags with the number {number} the last was carried."


def structure_of(tags: Tags, is_big_endian: bool) -> bytes | None:
    """Tags as a TIFF without pixels, which is how EXIF is made."""
    if not tags:
        return None
    structure = io.BytesIO()
    tifftools.write_tiff([{"tags": tags}], structure, bigEndian=is_big_endian, bigtiff=False)
    return structure.getvalue()


def tags_of(metadata: Metadata) -> Tags:
    """EXIF's tags are those of a TIFF; the profile and the packets have one each."""
    tags: Tags = {}
    if metadata.exif:
        first = tifftools.read_tiff(_BoundedReader(metadata.exif))["ifds"][0]["tags"]
        tags = {tag: found for tag, found in first.items() if tag not in LAYOUT_TAGS and "data" in found}
    if metadata.dpi is not None:
        across, down = ([round(side * 10000), 10000] for side in metadata.dpi)
        tags |= {282: entry(RATIONAL, across), 283: entry(RATIONAL, down), 296: entry(SHORT, [2])}
    if metadata.comment is not None and _DESCRIPTION not in tags:
        tags[_DESCRIPTION] = entry(ASCII, metadata.comment)
    for tag, datatype, content in (
        (XMP, BYTE, metadata.xmp),
        (IPTC, BYTE, metadata.iptc),
        (PHOTOSHOP, UNDEFINED, metadata.photoshop),
        (ICC_PROFILE, UNDEFINED, metadata.icc_profile),
    ):
        if content is not None:
            tags[tag] = entry(datatype, content if datatype == UNDEFINED else list(content))
    return tags


_DESCRIPTION = 270


def entry(datatype: int, data: Any) -> dict[str, Any]:
    """A tag as tifftools writes it."""
    return {"datatype": datatype, "data": data}


def raw(found: dict[str, Any] | None, is_big_endian: bool) -> bytes | None:
    """The bytes of a tag, whatever they are said to be; None if they cannot be bytes."""
    if found is None:
        return None
    data = found["data"]
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    code = {1: "B", 3: "H", 4: "I"}.get(found["datatype"])
    return None if code is None else struct.pack(f"{'>' if is_big_endian else '<'}{len(data)}{code}", *data)
