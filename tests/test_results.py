"""Records and the part files they are put together to."""

import io
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from dip.optimize.curve import CurvePoint
from dip.storage.part_files import PartFile
from dip.storage.results import CURVE_SCHEMA, ROW_SCHEMA, Row, encode_record


def record(number: int, **known: object) -> bytes:
    row = Row(
        "run", f"{number}.png", "in", "denoise", "auto", "00ff", 0, "1", datetime.now(UTC), "dip", **known
    )
    return encode_record(row, [CurvePoint(50, 0.1, None, None), CurvePoint(100, 0.05, 0.2, 30.0)])


@pytest.mark.parametrize(("image_bytes", "row_groups"), [(0, 1), (2**24, 4)])
def test_records_share_row_groups_unless_they_are_large(image_bytes, row_groups):
    part = PartFile()
    image = {"bytes": bytes(image_bytes), "path": "a.png"} if image_bytes else None
    for number in range(8):
        part.add(record(number, image=image))
    rows, curves = (pq.ParquetFile(io.BytesIO(content)) for content in part.finish())
    assert (rows.num_row_groups, curves.num_row_groups) == (row_groups, row_groups)
    assert (rows.schema_arrow, curves.schema_arrow) == (ROW_SCHEMA, CURVE_SCHEMA)
    assert rows.read(["image_id"])["image_id"].to_pylist() == [f"{number}.png" for number in range(8)]
    assert curves.read()["iteration"].to_pylist() == [50, 100] * 8
