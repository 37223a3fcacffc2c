"""Which images of an output are shown: what needs a look, and a sample of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

GROUP_SIZE = 50
MOST_PICTURED = 500
"""Of images that failed, were skipped or stopped at the limit, so many have pictures; the table has all."""
SAMPLE = 200
TABLE_ROWS = 200_000
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """Images that are shown for one reason.

    Attributes:
        name: for the page's scripts.
        title: for people.
        indices: of their rows, the most remarkable first.
        pictured: how many of them have pictures, the first ones.
    """

    name: str
    title: str
    indices: Indices
    pictured: int


def groups_of(rows: pa.Table, sample: int | None = SAMPLE) -> list[Group]:
    """The groups of an output's images; empty ones are left out.

    Args:
        rows: with what is derived from them.
        sample: size of the random sample; None for all images.
    """
    groups = [
        _where("failed", "Failed", pc.equal(rows["status"], "failed"), MOST_PICTURED),
        _where("skipped", "Skipped", pc.equal(rows["status"], "skipped"), MOST_PICTURED),
        _where("limit", "Stopped at the limit", _ran_out(rows), MOST_PICTURED),
        _extreme(rows, "changed", "Largest changes", "mean_absolute_change", -1),
        _extreme(rows, "psnr", "Lowest PSNR", "psnr_db", 1),
        _extreme(rows, "gain", "Smallest gain", "gain_db", 1),
        _extreme(rows, "masked", "Masked most", "masked_share", -1),
        _where("noted", "With notes", pc.is_valid(rows["noted"])),
        _sample(rows, sample),
    ]
    return [group for group in groups if len(group.indices)]


def differing_groups(rows: pa.Table, labels: tuple[str, str], sample: int | None = SAMPLE) -> list[Group]:
    """The groups of images that two outputs have, by how much they differ; empty ones are left out."""
    better = f"{labels[1]} better", f"{labels[0]} better"
    groups = [
        _where("failed", "Failed in one", pc.equal(rows["status"], "failed"), MOST_PICTURED),
        _where("skipped", "Skipped in one", pc.equal(rows["status"], "skipped"), MOST_PICTURED),
        _extreme(rows, "second", better[0], "difference_psnr_db", -1, beyond=0.0),
        _extreme(rows, "first", better[1], "difference_psnr_db", 1, beyond=0.0),
        _extreme(rows, "changed", f"Changed more by {labels[1]}", "difference_changed", -1, beyond=0.0),
        _sample(rows, sample),
    ]
    return [group for group in groups if len(group.indices)]


def shown(groups: Sequence[Group]) -> Indices:
    """The images of all groups, each once, in the groups' order."""
    every = np.concatenate([group.indices[: group.pictured] for group in groups])
    _, first = np.unique(every, return_index=True)
    return every[np.sort(first)]


def tabled(rows: pa.Table, of_groups: Indices, limit: int = TABLE_ROWS) -> Indices:
    """The rows that the table holds, in their order: all, or those shown and an even choice of the rest."""
    if rows.num_rows <= limit:
        return np.arange(rows.num_rows)
    even = np.linspace(0, rows.num_rows - 1, limit).astype(np.int64)
    chosen = np.concatenate([of_groups, even])
    _, first = np.unique(chosen, return_index=True)
    return np.sort(chosen[np.sort(first)[:limit]])


def _ran_out(rows: pa.Table) -> pa.ChunkedArray:
    """Which fits no rule has stopped; the rule `fixed` always goes to the limit."""
    at_limit = pc.equal(rows["stop_reason"], "iteration-limit")
    return pc.and_(at_limit, pc.not_equal(rows["stop_rule"], "fixed"))


def _where(name: str, title: str, is_member: pa.ChunkedArray, pictured: int = GROUP_SIZE) -> Group:
    return Group(name, title, np.flatnonzero(pc.fill_null(is_member, False).to_numpy()), pictured)


def _extreme(
    rows: pa.Table, name: str, title: str, column: str, sign: int, beyond: float | None = None
) -> Group:
    """The images with the smallest values of a column, or with sign -1 the largest, if need be beyond one."""
    values = sign * rows[column].cast(pa.float64()).to_numpy()
    indices = np.argsort(values, kind="stable")
    is_meant = np.isfinite(values) if beyond is None else values < sign * beyond
    return Group(name, title, indices[is_meant[indices]][:GROUP_SIZE], GROUP_SIZE)


def _sample(rows: pa.Table, size: int | None) -> Group:
    restored = np.flatnonzero(pc.equal(rows["status"], "restored").to_numpy())
    if size is None or size >= len(restored):
        return Group("sample", "All restored", restored, len(restored))
    # The same images each time, so that a report that is made again goes on where it was.
    chosen = np.random.default_rng(0).choice(restored, size, replace=False)
    return Group("sample", "Random sample", np.sort(chosen), size)
