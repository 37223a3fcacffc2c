"""The stopping study: where every stop rule stops, against the peak of the same fit.

    python -m tests.bench.stopping DATASETS WORK ['half missing'] ['sigma 15'] ['sigma 25'] ['sigma 50']

DATASETS holds color9/ and gray11/. The middle of eight images is made 96 pixels a side; `dip study stopping`
runs on them at σ 15, 25, 50 and with half of the pixels missing, with the default preset to its end.
The tables, all or those named, are printed, and recorded in stopping.json beside this file.
"""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from tests.bench.circumstances import circumstances

NAMES = [f"color9/{name}.png" for name in (
    "kodim01", "kodim02", "kodim12", "image_F16_512rgb", "image_Baboon512rgb", "image_Peppers512rgb"
)] + ["gray11/Cameraman256.png", "gray11/barbara.png"]  # fmt: skip
SIDE_PX = 96
DAMAGES = {
    "half missing": ["--task", "inpaint", "--missing", "0.5"],
    "sigma 15": ["--task", "denoise", "--sigma", "15"],
    "sigma 25": ["--task", "denoise", "--sigma", "25"],
    "sigma 50": ["--task", "denoise", "--sigma", "50"],
}


def make_references(datasets: Path, folder: Path) -> None:
    """The middle of each image, a multiple of 96 pixels wide but at most 288, made small."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        with Image.open(datasets / name) as image:
            side = min(288, min(image.size) // SIDE_PX * SIDE_PX)
            left, top = ((length - side) // 2 for length in image.size)
            box = (left, top, left + side, top + side)
            small = image.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS, box)
        small.save(folder / Path(name).name)


def gaps(output: Path) -> list[dict]:
    """Of each rule: mean and worst of what it lost to the peak of its fits, in dB."""
    stops = pq.read_table(output / "stops.parquet")
    stops = stops.append_column("gap_db", pc.subtract(stops["psnr_peak_db"], stops["psnr_db"]))
    found = stops.group_by("rule").aggregate(
        [("gap_db", "mean"), ("gap_db", "max"), ("stop_iteration", "mean")]
    )
    return found.to_pylist()


def main() -> None:
    datasets, work = map(Path, sys.argv[1:3])
    make_references(datasets, work / "references")
    path = Path(__file__).parent / "stopping.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    for damage in sys.argv[3:] or DAMAGES:
        output = work / damage.replace(" ", "-")
        command = [sys.executable, "-m", "cli", "study", "stopping", str(work / "references"), str(output)]
        subprocess.run([*command, *DAMAGES[damage]], check=True)
        record[damage] = {**circumstances(), "gaps": gaps(output)}
        for rule in record[damage]["gaps"]:
            print(damage, rule)
    path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
