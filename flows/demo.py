"""The demo: photographs that come with scikit-image, one per kind of damage, a contact sheet and a report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from dip.errors import ConfigurationError
from dip.storage import Location
from dip.storage.part_files import read_rows
from flows.batch import SHARDS_AT_ONCE, run_batches
from flows.parameters import BenchmarkParameters
from flows.pictures import draw_contact_sheet
from flows.report.build import make_report
from flows.report.one_output import OutputReport
from flows.runs.bag import REPORT

SIDE_PX = 128
"""Enough for a look, in a few minutes."""


@dataclass(frozen=True)
class Specimen:
    """A photograph and what is done to it.

    Attributes:
        name: of the photograph in `skimage.data`.
        box: left, upper, right, lower edge in pixels of the part that is used, scaled to `SIDE_PX`.
        damage: what is done to it, in words.
        asked: the evaluation's parameters.
    """

    name: str
    box: tuple[int, int, int, int]
    damage: str
    asked: dict[str, Any]


SPECIMENS = (
    Specimen("astronaut", (96, 0, 352, 256), "noise (sigma 25)", {"task": "denoise", "sigma": 25}),
    Specimen("coffee", (100, 0, 500, 400), "4 times smaller", {"task": "super-resolution", "scale": 4}),
    Specimen("chelsea", (75, 0, 375, 300), "text on it", {"task": "inpaint", "mask": "text"}),
    Specimen("camera", (0, 0, 512, 512), "50 % missing", {"task": "inpaint", "missing": 0.5}),
)


@dataclass(frozen=True)
class DemoImage:
    """What became of one photograph.

    Attributes:
        psnr_fill_db: of scikit-image's biharmonic fill of the same damage, for inpainting.
        contact_sheet: the picture of all photographs.
        report: the page on them.
    """

    name: str
    damage: str
    psnr_degraded_db: float
    psnr_db: float
    psnr_fill_db: float | None
    seconds: float
    contact_sheet: str
    report: str


@flow(name="demo", task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE))  # type: ignore[arg-type]
def restore_demo(output: str) -> list[DemoImage]:
    """Damage, restore and evaluate the specimens, all at the same time.

    Args:
        output: a folder of this machine.

    Raises:
        DipError: the run could not be started or carried to its end.
    """
    if not Location(output).is_local:
        raise ConfigurationError(f"Expected a folder of this machine for the demo; got {output}.")
    pairs = [(specimen, Path(output) / specimen.name) for specimen in SPECIMENS]
    for specimen, folder in pairs:
        _write_reference(specimen, folder / "reference")
    run_batches([batch for specimen, folder in pairs for batch in _evaluations(specimen, folder)])
    sheet = Path(output) / "contact-sheet.webp"
    images = [_demo_image(specimen, folder, sheet) for specimen, folder in pairs]
    panels = [_panels(image, folder) for image, (_, folder) in zip(images, pairs, strict=True)]
    sheet.write_bytes(draw_contact_sheet(list(zip(*panels, strict=True)), "WEBP"))
    outputs = {specimen.name: Location(str(folder / "results")) for specimen, folder in pairs}
    make_report(OutputReport(outputs), Location(output).below(REPORT), lambda *_: None)
    return images


def _evaluations(specimen: Specimen, folder: Path) -> Iterator[BenchmarkParameters]:
    """The restoration, and for inpainting the classical fill of the same damage."""
    source = str(folder / "reference")
    output = str(folder / "results")
    yield BenchmarkParameters(source=source, output=output, **specimen.asked)
    if specimen.asked["task"] == "inpaint":
        yield BenchmarkParameters(
            source=source, output=str(folder / "fill"), method="biharmonic", **specimen.asked
        )


def _write_reference(specimen: Specimen, folder: Path) -> None:
    from skimage import data

    photograph = Image.fromarray(getattr(data, specimen.name)())
    size = (SIDE_PX, SIDE_PX)
    part = photograph.resize(size, Image.Resampling.LANCZOS, box=specimen.box)
    folder.mkdir(parents=True, exist_ok=True)
    part.save(folder / f"{specimen.name}.png")


def _demo_image(specimen: Specimen, folder: Path, sheet: Path) -> DemoImage:
    row = _last_row(folder / "results")
    is_filled = specimen.asked["task"] == "inpaint"
    return DemoImage(
        name=specimen.name,
        damage=specimen.damage,
        psnr_degraded_db=row["psnr_degraded_db"],
        psnr_db=row["psnr_db"],
        psnr_fill_db=_last_row(folder / "fill")["psnr_db"] if is_filled else None,
        seconds=row["seconds"],
        contact_sheet=str(sheet),
        report=str(sheet.parent / REPORT / "index.html"),
    )


def _last_row(output: Path) -> dict[str, Any]:
    row: dict[str, Any] = read_rows(Location(str(output))).to_pylist()[-1]
    if row["status"] != "restored":
        raise ConfigurationError(f"Expected {row['image_id']} to be restored; {row['error_message']}")
    return row


def _panels(image: DemoImage, folder: Path) -> list[tuple[str, bytes]]:
    captions = {
        "reference": image.name,
        "results/degraded": f"{image.damage}: {image.psnr_degraded_db:.2f} dB",
        "results/images": f"restored: {image.psnr_db:.2f} dB",
    }
    return [
        (caption, (folder / part / f"{image.name}.png").read_bytes()) for part, caption in captions.items()
    ]
