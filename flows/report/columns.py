"""The columns of the page's table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: of the rows' column.
        title: for people, with the unit.
        kind: `text`, `word` (few different texts) or `number`.
        digits: behind the point.
        help: what it says, a phrase.
    """

    name: str
    title: str
    kind: Literal["text", "word", "number"] = "number"
    digits: int = 2
    help: str = ""


COLUMNS = (
    Column("image_id", "Image", "text"),
    Column("status", "Status", "word"),
    Column("gain_db", "Gain, dB", help="PSNR of the restoration less that of its input"),
    Column("psnr_db", "PSNR, dB"),
    Column("psnr_degraded_db", "Input, dB", help="PSNR of what the restoration started from"),
    Column("ssim", "SSIM", digits=4),
    Column("changed", "Change, %", help="mean change, as a share of the range from black to white"),
    Column("changed_pixels", "Pixels changed, %", digits=1),
    Column("drift", "Colour drift, %", help="largest change of a colour in a coarse copy"),
    Column("masked", "Masked, %", digits=2),
    Column("noise_sigma", "Noise σ", help="estimate for the source, in 8-bit units"),
    Column("stop_iteration", "Stop", digits=0, help="the iteration whose output is the answer"),
    Column("iterations", "Iterations", digits=0),
    Column("stop_reason", "Stop reason", "word"),
    Column("seconds", "Time, s"),
    Column("megapixels", "Megapixels"),
    Column("page_count", "Pages", digits=0),
    Column("method", "Method", "word"),
    Column("preset", "Preset", "word"),
    Column("error_message", "Why not", "text"),
    Column("noted", "Notes", "text", help="what of the file is not carried over, and what is odd in it"),
)
"""Of the report on one output; a column that is empty throughout is left out."""

_PERCENT = {
    "changed": "mean_absolute_change",
    "changed_pixels": "changed_share",
    "drift": "colour_drift",
    "masked": "masked_share",
}


def with_derived(rows: pa.Table) -> pa.Table:
    """Rows with what follows from their columns: gain, percentages, size, pages, notes as one text."""
    noted = pc.binary_join(rows["notes"], " ")
    derived = {
        "gain_db": pc.subtract(rows["psnr_db"], rows["psnr_degraded_db"]),
        "megapixels": _megapixels(rows),
        "page_count": pc.list_value_length(rows["pages"]),
        "noted": pc.if_else(pc.equal(noted, ""), None, noted),
        **{name: pc.multiply(rows[column], 100.0) for name, column in _PERCENT.items()},
    }
    for name, values in derived.items():
        rows = rows.append_column(name, values)
    return rows


def _megapixels(rows: pa.Table) -> pa.Array:
    """Of all pages."""
    pixels = pc.multiply(rows["height_px"].cast(pa.float64()), rows["width_px"].cast(pa.float64()))
    of_pages = [
        pages and float(sum(page["height_px"] * page["width_px"] for page in pages))
        for pages in rows["pages"].to_pylist()
    ]
    return pc.divide(pc.coalesce(pa.array(of_pages, pa.float64()), pixels.combine_chunks()), 1e6)


def filled(rows: pa.Table, columns: Sequence[Column]) -> list[Column]:
    """The columns of which there is a value in the rows."""
    return [column for column in columns if rows[column.name].null_count < rows.num_rows]


def described(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The columns for the page's scripts."""
    return [asdict(column) for column in columns]
