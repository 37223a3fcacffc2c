"""The demo: photographs that come with scikit-image, one per kind of damage, and a contact sheet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from dip.errors import ConfigurationError
from dip.results import read_rows
from dip.storage import Location
from flows.batch import SHARDS_AT_ONCE, run_batches
from flows.contact_sheet import draw_contact_sheet
from flows.parameters import BenchmarkParameters

SIDE_PX = 128
ITERATIONS = 2000
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
    """

    name: str
    damage: str
    psnr_degraded_db: float
    psnr_db: float
    psnr_fill_db: float | None
    seconds: float
    contact_sheet: str


@flow(name="demo", task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE))  # type: ignore[arg-type]
def restore_demo(output: str) -> list[DemoImage]:
    """Damage, restore and measure the specimens, all at the same time.

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
    run_batches([_evaluation(specimen, folder) for specimen, folder in pairs])
    sheet = Path(output) / "contact-sheet.png"
    images = [_demo_image(specimen, folder, sheet) for specimen, folder in pairs]
    panels = [_panels(image, folder) for image, (_, folder) in zip(images, pairs, strict=True)]
    sheet.write_bytes(draw_contact_sheet(panels))
    return images


def _evaluation(specimen: Specimen, folder: Path) -> BenchmarkParameters:
    return BenchmarkParameters(
        source=str(folder / "reference"),
        output=str(folder / "results"),
        max_iterations=ITERATIONS,
        **specimen.asked,
    )


def _write_reference(specimen: Specimen, folder: Path) -> None:
    from skimage import data

    photograph = Image.fromarray(getattr(data, specimen.name)())
    size = (SIDE_PX, SIDE_PX)
    part = photograph.resize(size, Image.Resampling.LANCZOS, box=specimen.box)
    folder.mkdir(parents=True, exist_ok=True)
    part.save(folder / f"{specimen.name}.png")


def _demo_image(specimen: Specimen, folder: Path, sheet: Path) -> DemoImage:
    row = read_rows(Location(str(folder / "results"))).to_pylist()[-1]
    if row["status"] != "restored":
        raise ConfigurationError(f"Expected {specimen.name} to be restored; {row['error_message']}")
    return DemoImage(
        name=specimen.name,
        damage=specimen.damage,
        psnr_degraded_db=row["psnr_degraded_db"],
        psnr_db=row["psnr_db"],
        psnr_fill_db=_fill_psnr_db(folder, specimen.name) if specimen.asked["task"] == "inpaint" else None,
        seconds=row["seconds"],
        contact_sheet=str(sheet),
    )


def _fill_psnr_db(folder: Path, name: str) -> float:
    """PSNR of the classical method that looks at the same damage."""
    from skimage.metrics import peak_signal_noise_ratio
    from skimage.restoration import inpaint_biharmonic

    reference, damaged, mask = (
        _pixels(folder / part / f"{name}.png") for part in ("reference", "results/degraded", "results/masks")
    )
    channel_axis = 2 if damaged.ndim == 3 else None
    filled = inpaint_biharmonic(damaged, mask > 0.5, channel_axis=channel_axis)
    return float(peak_signal_noise_ratio(reference, np.rint(filled.clip(0, 1) * 255) / 255, data_range=1))


def _pixels(path: Path) -> NDArray[np.float64]:
    with Image.open(path) as image:
        return np.asarray(image, dtype=np.float64) / 255


def _panels(image: DemoImage, folder: Path) -> list[tuple[str, bytes]]:
    captions = {
        "reference": image.name,
        "results/degraded": f"{image.damage}: {image.psnr_degraded_db:.2f} dB",
        "results/images": f"restored: {image.psnr_db:.2f} dB",
    }
    return [
        (caption, (folder / part / f"{image.name}.png").read_bytes()) for part, caption in captions.items()
    ]
