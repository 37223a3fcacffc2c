"""The means of an output, by what may tell its images apart."""

import math
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

BY = ("task", "method", "preset", "variation", "protocol", "degradation")
_AVERAGED = ("psnr_degraded_db", "psnr_db", "gain_db", "ssim", "mean_absolute_change", "seconds")
NEEDED = (*BY, "status", *(name for name in _AVERAGED if name != "gain_db"))
"""Columns that rows must have."""

BINS = 12
_BLOCKS = " ▁▂▃▄▅▆▇█"


def means_of(rows: pa.Table, by: Sequence[str] = BY) -> pa.Table:
    """The restored images of each group, counted, and their means; a mean of nothing is null."""
    restored = rows.filter(pc.equal(rows["status"], "restored"))
    if "gain_db" not in restored.column_names:
        gain = pc.subtract(restored["psnr_db"], restored["psnr_degraded_db"])
        restored = restored.append_column("gain_db", gain)
    asked = [("status", "count"), *((name, "mean") for name in _AVERAGED)]
    means = restored.group_by(list(by), use_threads=False).aggregate(asked)
    names = [name.removesuffix("_mean").replace("status_count", "images") for name in means.column_names]
    return means.rename_columns(names)


def histogram_of(values: pa.ChunkedArray) -> str:
    """A line that shows how values are spread, from the least to the largest; empty for fewer than two."""
    known = [value for value in values.drop_null().to_pylist() if math.isfinite(value)]
    if len(known) < 2 or min(known) == max(known):
        return ""
    least, width = min(known), (max(known) - min(known)) / BINS
    counts = [0] * BINS
    for value in known:
        counts[min(BINS - 1, int((value - least) / width))] += 1
    blocks = "".join(_BLOCKS[-(-8 * count // max(counts))] for count in counts)
    return f"{least:.2f} {blocks} {max(known):.2f}"
