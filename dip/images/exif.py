"""The fields of a TIFF structure without pixels (EXIF, GeoTIFF), changed where they stand.

What points into the structure, such as a camera maker's own note, so stays right.
Source: TIFF 6.0, section 2; EXIF 2.32; GeoTIFF 1.1.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dip.images import photoshop

_FORMATS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 7: "B", 9: "i", 10: "ii", 11: "f", 12: "d"}
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_LARGEST = {1: 2**8 - 1, _SHORT: 2**16 - 1, _LONG: 2**32 - 1, _RATIONAL: 2**32 - 1}
_EXIF_DIRECTORY, _PHOTOSHOP, _GEO_KEYS = 34665, 34377, 34735
_RASTER_TYPE, _IS_POINT = 1025, 2
_THUMBNAIL, _THUMBNAIL_LENGTH, _STRIPS, _STRIP_LENGTHS = 513, 514, 273, 279

Values = Sequence[float]


@dataclass(frozen=True)
class _Field:
    """One field of a directory: where its entry stands, and where its values do."""

    tag: int
    kind: int
    count: int
    entry: int
    position: int

    @property
    def size_bytes(self) -> int:
        return self.count * struct.calcsize(_FORMATS.get(self.kind, ""))

    def values(self, exif: bytes, order: str) -> tuple[float, ...]:
        return struct.unpack_from(order + _FORMATS.get(self.kind, "") * self.count, exif, self.position)


def _order(exif: bytes) -> str:
    return "<" if exif.startswith(b"II") else ">"


def _directory(exif: bytes, start: int) -> tuple[list[_Field], int]:
    """The fields of a directory, and where it says where the next one is."""
    order, fields = _order(exif), []
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, length, position = struct.unpack_from(f"{order}HHII", exif, entry)
        field = _Field(tag, kind, length, entry, position)
        is_inside = field.size_bytes <= 4
        fields.append(_Field(tag, kind, length, entry, entry + 8) if is_inside else field)
    return fields, start + 2 + 12 * count


def _fields(exif: bytes) -> Iterator[_Field]:
    """The fields of the first directory, and of EXIF's own."""
    order = _order(exif)
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    for field in _directory(exif, start)[0]:
        yield field
        if field.tag == _EXIF_DIRECTORY:
            yield from _directory(exif, int(field.values(exif, order)[0]))[0]


def without_thumbnail(exif: bytes) -> bytes:
    """The structure without the directory of a thumbnail, and without the thumbnail's bytes."""
    order, changed = _order(exif), bytearray(exif)
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        _, pointer = _directory(exif, start)
        (thumbnail,) = struct.unpack_from(f"{order}I", exif, pointer)
        if not thumbnail:
            return exif
        fields, end = _directory(exif, thumbnail)
        ranges = [(thumbnail, end + 4), *_pixels(exif, fields)]
    except struct.error:  # too damaged to say anything; it is carried as it is
        return exif
    struct.pack_into(f"{order}I", changed, pointer, 0)
    for begin, end in sorted(ranges, reverse=True):
        changed[begin:end] = b"" if end >= len(changed) else b"\0" * (end - begin)
    return bytes(changed)


def _pixels(exif: bytes, fields: Sequence[_Field]) -> Iterator[tuple[int, int]]:
    """Where the bytes of a thumbnail begin and end."""
    found = {field.tag: field.values(exif, _order(exif)) for field in fields}
    for starts, lengths in ((_THUMBNAIL, _THUMBNAIL_LENGTH), (_STRIPS, _STRIP_LENGTHS)):
        for start, length in zip(found.get(starts, ()), found.get(lengths, ()), strict=False):
            yield int(start), min(len(exif), int(start + length))


def enlarged(exif: bytes, factor: int) -> bytes:
    """The structure of an image of `factor` times the height and width.

    Its sizes, its resolutions, and where on the ground its pixels lie, are the new ones.
    """
    order, changed = _order(exif), bytearray(exif)
    try:
        fields = list(_fields(exif))
        shift = (factor - 1) / 2 if _is_point(exif, fields) else 0.0
        for field in fields:
            if field.tag in _ENLARGED:
                values = _ENLARGED[field.tag](field.values(exif, order), factor, shift)
                _change(changed, field, values)
            elif field.tag == _PHOTOSHOP:
                span = slice(field.position, field.position + field.size_bytes)
                changed[span] = photoshop.enlarged(exif[span], factor)
    except struct.error:  # too damaged to say anything; it is carried as it is
        return exif
    return bytes(changed)


def _is_point(exif: bytes, fields: Sequence[_Field]) -> bool:
    """Whether coordinates are those of pixels' centres, not of their corners."""
    keys = next((field.values(exif, _order(exif)) for field in fields if field.tag == _GEO_KEYS), ())
    return any(keys[at] == _RASTER_TYPE and keys[at + 3] == _IS_POINT for at in range(4, len(keys) - 3, 4))


def _change(exif: bytearray, field: _Field, values: Values) -> None:
    """Other values in place of a field's; those that its type cannot hold leave it as it is."""
    order, kind = _order(bytes(exif[:2])), field.kind
    if kind == _RATIONAL:
        values = _fitting(values)
    if kind == _SHORT and field.count == 1 and values[0] > _LARGEST[_SHORT]:
        kind = _LONG
        struct.pack_into(f"{order}H", exif, field.entry + 2, kind)
    whole = [each if kind in (11, 12) else round(each) for each in values]
    if max(whole, default=0) <= _LARGEST.get(kind, float("inf")):
        struct.pack_into(order + _FORMATS[kind] * field.count, exif, field.position, *whole)


def _fitting(fractions: Values) -> Values:
    """Fractions whose numerators are too large, with smaller denominators instead."""
    pairs = zip(fractions[::2], fractions[1::2], strict=True)
    fitted: list[float] = []
    for above, below in pairs:
        too_large = max(1.0, above / _LARGEST[_RATIONAL])
        fitted += [above / too_large, max(1, below // too_large) if below else 0]
    return fitted


def _multiplied(values: Values, factor: int, _: float) -> Values:
    return [value * factor for value in values]


def _numerators_multiplied(values: Values, factor: int, _: float) -> Values:
    return [value if number % 2 else value * factor for number, value in enumerate(values)]


def _pixel_scale(values: Values, factor: int, _: float) -> Values:
    return [value if number > 1 else value / factor for number, value in enumerate(values)]


def _tie_points(values: Values, factor: int, shift: float) -> Values:
    return [value * factor + shift if number % 6 < 2 else value for number, value in enumerate(values)]


def _transformation(values: Values, factor: int, shift: float) -> Values:
    """A matrix, (4, 4), from pixels to the ground."""
    changed: list[float] = []
    for start in range(0, len(values) - 3, 4):
        across, down, height, origin = values[start : start + 4]
        changed += [across / factor, down / factor, height, origin - (across + down) * shift / factor]
    return changed


_ENLARGED: Mapping[int, Callable[[Values, int, float], Values]] = MappingProxyType(
    {
        **dict.fromkeys((256, 257, 40962, 40963, 37396, 41492), _multiplied),
        **dict.fromkeys((282, 283, 41486, 41487), _numerators_multiplied),
        33550: _pixel_scale,
        33922: _tie_points,
        34264: _transformation,
    }
)
