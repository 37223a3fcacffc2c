"""Pictures for people: contact sheets, and the plots of the studies, one PNG per image."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, ImageDraw, ImageFont

from dip.evaluation.studies.base import Findings

MARGIN_PX = 12
CAPTION_PX = 28
LEAST_WIDTH_PX = 240
"""A picture is enlarged by whole pixels until a caption fits under it."""


def draw_contact_sheet(rows: Sequence[Sequence[tuple[str, bytes]]], file_format: str = "PNG") -> bytes:
    """Draw rows of captioned pictures of about equal size into one file.

    Args:
        rows: caption and file of each picture.
        file_format: as Pillow calls it; `WEBP` is small and not to the bit.
    """
    pictures = [[(caption, _picture(file)) for caption, file in row] for row in rows]
    width_px = max(picture.width for row in pictures for _, picture in row) + MARGIN_PX
    height_px = max(picture.height for row in pictures for _, picture in row) + CAPTION_PX
    columns = max(len(row) for row in pictures)
    sheet = Image.new("RGB", (columns * width_px + MARGIN_PX, len(rows) * height_px + MARGIN_PX), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for y, row in enumerate(pictures):
        for x, (caption, picture) in enumerate(row):
            corner = (MARGIN_PX + x * width_px, MARGIN_PX + y * height_px)
            sheet.paste(picture, corner)
            draw.text((corner[0], corner[1] + picture.height + 4), caption, fill="black", font=font)
    buffer = io.BytesIO()
    sheet.save(buffer, format=file_format, quality=80)  # of which a PNG knows nothing
    return buffer.getvalue()


def _picture(file: bytes) -> Image.Image:
    with Image.open(io.BytesIO(file)) as image:
        factor = -(-LEAST_WIDTH_PX // image.width)
        size = (factor * image.width, factor * image.height)
        return image.convert("RGB").resize(size, Image.Resampling.NEAREST)


Tables = Mapping[str, pa.Table]


def plots_of(study: str, tables: Tables, findings: Sequence[Findings]) -> dict[str, bytes]:
    """The plots of a study as PNG files, by their name.

    Args:
        study: a name in `dip.configuration.registry.STUDIES`.
        tables: the study's, with the columns `image_id` and `variant`.
        findings: of its trials, for the pictures in them.
    """
    names = sorted({finding.trial.image_id for finding in findings})
    if study == "snapshots":
        return {f"{name}-snapshots.png": _strip(name, tables, findings) for name in names}
    draw = {"curves": _curves, "stopping": _stopping, "architectures": _architectures}[study]
    return {f"{name}-{study}.png": _drawn(draw, _of_image(tables, name), name) for name in names}


def _of_image(tables: Tables, image_id: str) -> Tables:
    return {name: table.filter(pc.field("image_id") == image_id) for name, table in tables.items()}


def _drawn(draw: Callable[[Any, Tables], None], tables: Tables, title: str) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, parse_math=False)  # a file's name, which may have two dollars in it
    draw(axes, tables)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _column_by(table: pa.Table, key: str, value: str, *columns: str) -> list[list[Any]]:
    rows = table.filter(pc.field(key) == value)
    return [rows[column].to_pylist() for column in columns]


def _values(table: pa.Table, key: str) -> list[str]:
    return list(dict.fromkeys(table[key].to_pylist()))


def _curves(axes: Any, tables: Tables) -> None:
    table = tables["curves"]
    for name in _values(table, "variant"):
        axes.plot(*_column_by(table, "variant", name, "iteration", "loss"), label=name)
    axes.set(xlabel="iteration", ylabel="loss, E + λ R", xscale="log", yscale="log")
    axes.legend()


def _stopping(axes: Any, tables: Tables) -> None:
    """PSNR, stops and peak on the left axis, the rules' signals, each in its own scale, on the right."""
    psnr, signals, stops = tables["psnr"], tables["signals"], tables["stops"]
    right = axes.twinx()
    for variant in _values(psnr, "variant"):
        iterations, values = _column_by(psnr, "variant", variant, "iteration", "psnr_db")
        axes.plot(iterations, values, color="black", linestyle="-" if variant == "one-fit" else "--")
        best = max(range(len(values)), key=values.__getitem__)
        axes.plot(iterations[best], values[best], "k*", markersize=12)
    for i, rule in enumerate(_values(stops, "rule")):
        colour = f"C{i}"
        iterations, values = _column_by(signals, "rule", rule, "iteration", "signal")
        largest = max((value for value in values[2:] if value == value), default=0) or 1
        right.plot(iterations, [value / largest for value in values], color=colour, alpha=0.5)
        stopped, at = _column_by(stops, "rule", rule, "stop_iteration", "psnr_db")
        axes.plot(stopped, at, "o", color=colour, label=f"{rule}: {at[0]:.2f} dB at {stopped[0]}")
    axes.set(xlabel="iteration", ylabel="PSNR of the averaged output, dB (★ peak)")
    right.set(ylabel="signals, each over its largest", ylim=(0, 1))
    axes.legend(loc="lower right")


def _architectures(axes: Any, tables: Tables) -> None:
    """Bars up to the PSNR of each network; an infinite one ends at the top of the plot."""
    table = tables["architectures"]
    names, restored = (table[column].to_pylist() for column in ("variant", "psnr_db"))
    peaks = pc.fill_null(table["psnr_peak_db"], 0).to_pylist()
    finite = [value for value in restored if math.isfinite(value)] or [0]
    top = max(value for value in (*peaks, *finite) if math.isfinite(value)) + 1
    axes.bar(names, [min(peak, top) for peak in peaks], color="lightgrey", label="peak of the run")
    axes.bar(names, [min(value, top) for value in restored], width=0.5, label="restored")
    axes.axhline(table["psnr_degraded_db"][0].as_py(), color="black", linestyle="--", label="degraded")
    axes.set(ylabel="PSNR, dB", ylim=(min(finite) - 3, top))
    axes.legend()


def _strip(image_id: str, tables: Tables, findings: Sequence[Findings]) -> bytes:
    table = _of_image(tables, image_id)["snapshots"]
    return draw_contact_sheet(
        [_snapshots(finding, table) for finding in findings if finding.trial.image_id == image_id]
    )


def _snapshots(finding: Findings, table: pa.Table) -> list[tuple[str, bytes]]:
    """The captioned snapshots of one variant."""
    from dip.evaluation.studies.snapshots import snapshot_name

    trial = finding.trial
    iterations, values = _column_by(table, "variant", trial.variant, "iteration", "psnr_db")
    psnr = dict(zip(iterations, values, strict=True))
    return [
        (
            f"{trial.variant}, {i}: {psnr[i]:.2f} dB",
            finding.pictures[snapshot_name(trial.image_id, trial.variant, i)],
        )
        for i in trial.snapshots
    ]
