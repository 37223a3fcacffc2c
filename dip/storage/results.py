"""The record: one row per image, and the curve of its optimisation, under explicit Parquet schemas."""

import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from dip.optimize.curve import CurvePoint

_READING = pa.struct(
    [
        ("protocol", pa.string()),
        ("psnr_degraded_db", pa.float64()),
        ("psnr_db", pa.float64()),
        ("ssim", pa.float64()),
    ]
)

PAGE = pa.struct(
    [
        ("page", pa.int32()),
        ("status", pa.string()),
        ("error_message", pa.string()),
        ("height_px", pa.int32()),
        ("width_px", pa.int32()),
        ("channels", pa.int32()),
        ("bit_depth", pa.int32()),
        ("noise_sigma", pa.float64()),
        ("noise_size_px", pa.float64()),
        ("restored_share", pa.float64()),
        ("mean_absolute_change", pa.float64()),
        ("changed_share", pa.float64()),
        ("colour_drift", pa.float64()),
        ("masked_share", pa.float64()),
        ("keeps_unmasked", pa.bool_()),
        ("tiles", pa.int32()),
        ("tile_px", pa.int32()),
        ("iterations", pa.int32()),
        ("stop_iteration", pa.int32()),
        ("stop_rule", pa.string()),
        ("stop_reason", pa.string()),
        ("notes", pa.list_(pa.string())),
    ]
)
"""Of a page, the columns of the row that can differ from page to page."""

ROW_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("source_url", pa.string(), nullable=False),
        pa.field("source_version", pa.string()),
        pa.field("source_sha256", pa.string()),
        pa.field("mask_version", pa.string()),
        pa.field("mask_sha256", pa.string()),
        pa.field("output_url", pa.string()),
        pa.field("output_name", pa.string()),
        pa.field("output_sha256", pa.string()),
        pa.field("sidecar_sha256", pa.string()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("error_type", pa.string()),
        pa.field("error_message", pa.string()),
        pa.field("notes", pa.list_(pa.string())),
        pa.field("task", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("preset", pa.string(), nullable=False),
        pa.field("config_hash", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("variation", pa.string()),
        pa.field("degradation", pa.string()),
        pa.field("height_px", pa.int32()),
        pa.field("width_px", pa.int32()),
        pa.field("channels", pa.int32()),
        pa.field("bit_depth", pa.int32()),
        pa.field("noise_sigma", pa.float64()),
        pa.field("noise_size_px", pa.float64()),
        pa.field("restored_share", pa.float64()),
        pa.field("mean_absolute_change", pa.float64()),
        pa.field("changed_share", pa.float64()),
        pa.field("colour_drift", pa.float64()),
        pa.field("masked_share", pa.float64()),
        pa.field("keeps_unmasked", pa.bool_()),
        pa.field("protocol", pa.string()),
        pa.field("psnr_db", pa.float64()),
        pa.field("psnr_degraded_db", pa.float64()),
        pa.field("psnr_peak_db", pa.float64()),
        pa.field("ssim", pa.float64()),
        pa.field("readings", pa.list_(_READING)),
        pa.field("tiles", pa.int32()),
        pa.field("tile_px", pa.int32()),
        pa.field("iterations", pa.int32()),
        pa.field("stop_iteration", pa.int32()),
        pa.field("stop_rule", pa.string()),
        pa.field("stop_reason", pa.string()),
        pa.field("seconds", pa.float64()),
        pa.field("device", pa.string()),
        pa.field("software_version", pa.string(), nullable=False),
        pa.field("started_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("pages", pa.list_(PAGE)),
        pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ]
)

CURVE_SCHEMA = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("iteration", pa.int32(), nullable=False),
        pa.field("loss", pa.float64(), nullable=False),
        pa.field("signal", pa.float64()),
        pa.field("psnr_db", pa.float64()),
    ]
)

_POINTS = pa.list_(
    pa.struct([CURVE_SCHEMA.field(name) for name in ("iteration", "loss", "signal", "psnr_db")])
)
RECORD_SCHEMA = ROW_SCHEMA.append(pa.field("curve", _POINTS))


@dataclass
class Row:
    """What became of one image; a column of the results for each field.

    Attributes:
        run_id: the run that made the row.
        image_id: path of the image relative to the source.
        source_version: of the image's file, as storage told it when the run began: ETag, or time of writing.
        mask_version: of its mask's file, likewise; None without one, like `mask_sha256`.
        preset: of the method `dip`; others have none.
        status: `restored`, `failed` or `skipped`.
        error_type: why it is not restored, as a class name; `error_message` says it in a sentence.
        notes: what of the file is not carried to the restored image and why; what libraries remarked on it.
        seed: the configuration's.
        output_name: where the restored image lies below the output; its sidecar lies beside it.
        height_px: of the restored image, like `width_px`, `channels` and `bit_depth`.
        noise_sigma: an estimate for y, in 8-bit units, by the residual of an educated start, or else of the
            source by its wavelets; the latter is None in an evaluation.
        noise_size_px: how far neighbours share that noise, as the deviation of a Gaussian blur.
        restored_share: how much of what the network drew was taken, 0 to 1; None where all is.
        mean_absolute_change: what the restoration changed, as a share of the range from black to white;
            like the next two None where the size changed too, or there is a reference.
        changed_share: share of the pixels that changed.
        colour_drift: largest change of a colour in a coarse copy.
        masked_share: share of the pixels that a mask marks; None without one, or in an evaluation.
        keeps_unmasked: whether all pixels that no mask marked are the source's; None without a mask.
        variation: what departs from the preset, as `name=value` words.
        degradation: how the reference was damaged, as `name=value` words.
        protocol: the named protocol of the metrics, which are None without a reference.
        psnr_degraded_db: of what the restoration started from.
        psnr_peak_db: highest PSNR of the averaged output over the run, unrounded.
        readings: the metrics under every protocol that can read the evaluation, the row's own first.
        tiles: in how many parts of at most `tile_px` pixels a side a large image was fitted.
        iterations: how many were run, over all tiles, and all restarts that were averaged.
        stop_iteration: the iteration whose output is the answer; of the first start and tile, like the curve.
        stop_rule: the rule that chose it; `stop_reason` says why.
        seconds: wall time from read to write.
        pages: of a file with several pages, what became of each, by the columns' names; `dip.storage.pages`
            says how the row tells of all.
        image: the restored image's bytes and name, if results embed images.
    """

    run_id: str
    image_id: str
    source_url: str
    task: str
    preset: str
    config_hash: str
    seed: int
    software_version: str
    started_at: datetime
    method: str
    status: str = "failed"
    source_version: str | None = None
    source_sha256: str | None = None
    mask_version: str | None = None
    mask_sha256: str | None = None
    output_url: str | None = None
    output_name: str | None = None
    output_sha256: str | None = None
    sidecar_sha256: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    notes: list[str] | None = None
    variation: str | None = None
    degradation: str | None = None
    height_px: int | None = None
    width_px: int | None = None
    channels: int | None = None
    bit_depth: int | None = None
    noise_sigma: float | None = None
    noise_size_px: float | None = None
    restored_share: float | None = None
    mean_absolute_change: float | None = None
    changed_share: float | None = None
    colour_drift: float | None = None
    masked_share: float | None = None
    keeps_unmasked: bool | None = None
    protocol: str | None = None
    psnr_db: float | None = None
    psnr_degraded_db: float | None = None
    psnr_peak_db: float | None = None
    ssim: float | None = None
    readings: list[dict[str, str | float | None]] | None = None
    tiles: int | None = None
    tile_px: int | None = None
    iterations: int | None = None
    stop_iteration: int | None = None
    stop_rule: str | None = None
    stop_reason: str | None = None
    seconds: float | None = None
    device: str | None = None
    pages: list[dict[str, Any]] | None = None
    image: dict[str, bytes | str] | None = None

    def blame(self, error: BaseException) -> None:
        """Record what kept the image from being restored."""
        self.error_type, self.error_message = type(error).__name__, str(error) or repr(error)


def encode_record(row: Row, curve: Iterable[CurvePoint] = ()) -> bytes:
    """A row and its curve as an Arrow stream: for one row Parquet takes several times as long."""
    points = [asdict(point) for point in curve]
    record = pa.RecordBatch.from_pylist([{**vars(row), "curve": points}], schema=RECORD_SCHEMA)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, RECORD_SCHEMA) as stream:
        stream.write_batch(record)
    return sink.getvalue()
