"""What a report costs: seconds an image, size of the page, seconds to the first table, memory of the tab.

    python -m tests.bench.report WORK 10000 100000 1000000

The output is made of a few restored photographs, whose files are linked and whose rows are repeated under
other names. Chromium is needed.
"""

import json
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from PIL import Image
from skimage import data

from dip.storage import Location
from dip.storage.part_files import parquet_bytes, read_rows
from flows.report.build import Contents, make_report
from flows.report.one_output import OutputReport
from tests.an_output import restored
from tests.bench.circumstances import circumstances
from tests.browser import Page, browsing

PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "rocket", "coins", "brick", "grass")
SIDE_PX = 512
ROWS_PER_PART = 50_000
PICTURED = 200
RECORD = Path(__file__).with_name("report.json")


def few_restored(work: Path) -> Path:
    """A few noisy photographs, restored by a method that takes no time."""
    source = work / "few"
    if source.exists():
        return work / "few-restored"
    source.mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 20, (SIDE_PX, SIDE_PX, 1))
    for name in PHOTOGRAPHS:
        levels = np.asarray(Image.fromarray(getattr(data, name)()).convert("RGB").resize((SIDE_PX, SIDE_PX)))
        Image.fromarray((levels + noise).clip(0, 255).astype(np.uint8)).save(source / f"{name}.png")
    restored(source, work / "few-restored", task="denoise", method="nlm")
    return work / "few-restored"


def multiplied(few: Path, count: int, work: Path) -> Path:
    """An output of so many images; the few, again and again."""
    output, source = work / f"output-{count}", work / f"source-{count}"
    shutil.rmtree(output, ignore_errors=True)
    rows = read_rows(Location(str(few)))
    [described] = few.glob("runs/*/run.json")
    run = json.loads(described.read_text())
    run["asked"]["source"], run["total"] = f"file://{source}", count
    (output / "runs" / run["run_id"]).mkdir(parents=True)
    (output / "runs" / run["run_id"] / "run.json").write_text(json.dumps(run))
    for part, start in enumerate(range(0, count, ROWS_PER_PART)):
        numbers = np.arange(start, min(count, start + ROWS_PER_PART))
        content = parquet_bytes(_repeated(rows, numbers))
        name = output / "metrics" / f"part-{run['run_id']}-{part:05d}.parquet"
        name.parent.mkdir(exist_ok=True)
        name.write_bytes(content)
    _link(few, output, source, min(count, 10_000))
    return output


def _repeated(rows: pa.Table, numbers: np.ndarray) -> pa.Table:
    table = rows.take(pa.array(numbers % rows.num_rows))
    names = [f"box-{number // 1000:04d}/photograph-{number:07d}.png" for number in numbers]
    change = np.random.default_rng(numbers[0]).random(len(numbers)) / 10
    replaced = {
        "image_id": pa.array(names),
        "output_name": pa.array([f"images/{name}" for name in names]),
        "mean_absolute_change": pa.array(change),
    }
    for name, values in replaced.items():
        at = table.column_names.index(name)
        table = table.set_column(at, rows.schema.field(name), values)
    return table


def _link(few: Path, output: Path, source: Path, count: int) -> None:
    """Links to the few images; a million files are not needed where some hundred are looked at."""
    for number in range(count):
        name = f"box-{number // 1000:04d}/photograph-{number:07d}.png"
        original = f"{sorted(PHOTOGRAPHS)[number % len(PHOTOGRAPHS)]}.png"
        for folder, place in ((few.parent / "few", source), (few / "images", output / "images")):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            if not (place / name).exists():
                (place / name).hardlink_to(folder / original)


def made(contents_of, folder: Path) -> dict[str, float]:
    """A report is made: seconds of the clock and of the processor."""
    shutil.rmtree(folder, ignore_errors=True)
    before, start = _processor_s(), time.monotonic()
    contents: Contents = contents_of()
    report = make_report(contents, Location(str(folder)), lambda *_: None)
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    largest = max(path.stat().st_size for path in folder.rglob("*.webp"))
    page_bytes = sum(p.stat().st_size for part in ("page", "rows") for p in (folder / part).iterdir())
    return {
        **{name: value for name, value in asdict(report).items() if name != "url"},  # a path of this machine
        "seconds": time.monotonic() - start,
        "processor_seconds": _processor_s() - before,
        "processor_seconds_per_image": (_processor_s() - before) / report.images,
        "folder_megabytes": sum(files) / 1e6,
        "page_and_rows_megabytes": page_bytes / 1e6,
        "largest_picture_kilobytes": largest / 1e3,
    }


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def looked_at(page: Page, folder: Path) -> dict[str, float]:
    """The page is opened: seconds to the first rows and to all, and the memory of the tab."""
    page.driver.get("about:blank")
    before, start = _browser_s(page), time.monotonic()
    page.driver.get(f"file://{folder}/index.html")
    page.wait_for("return document.querySelectorAll('.card').length > 0")
    first_s = time.monotonic() - start
    page.wait_for("return !document.getElementById('state').textContent.startsWith('Loading')", 300)
    all_s, all_processor_s = time.monotonic() - start, _browser_s(page) - before
    start = time.monotonic()
    page.run("document.querySelector('input[value=table]').click()")
    page.wait_for("return document.querySelectorAll('.rows tbody tr[data-position]').length > 0")
    table_s = time.monotonic() - start
    return {
        "first_images_s": first_s,
        "all_rows_s": all_s,
        "all_rows_processor_s": all_processor_s,
        "table_s": table_s,
        "sort_s": _timed(page, "[...document.querySelectorAll('th.changed button')][0].click()"),
        "search_s": _timed(page, "dip.select({search:'0099',group:null,decision:'',where:{},sort:{}})"),
        "scroll_frame_ms": 1000 * _scrolled(page),
        "tab_megabytes": _tab_bytes(page) / 1e6,
    }


def _timed(page: Page, script: str) -> float:
    return page.run(f"const t = performance.now(); {script}; return performance.now() - t") / 1000


def _scrolled(page: Page) -> float:
    """The median time that a jump in the table takes until it is drawn."""
    script = """
    const done = arguments[0], box = document.querySelector('.scroller'), times = [];
    const next = (i, start) => (times.push(performance.now() - start), step(i + 1));
    const step = (i) => {
      if (i === 9) return done(times.sort((a, b) => a - b)[4]);
      const start = performance.now();
      box.scrollTop = (box.scrollHeight * ((i * 37) % 100)) / 100;
      requestAnimationFrame(() => requestAnimationFrame(() => next(i, start)));
    };
    step(0);
    """
    page.driver.set_script_timeout(300)
    return page.driver.execute_async_script(script) / 1000


def _tab_bytes(page: Page) -> int:
    return max(p.memory_info().rss for p in _browser(page) if "--type=renderer" in p.cmdline())


def _browser_s(page: Page) -> float:
    """Processor seconds of all of the browser: the clock's tell more of what else runs on the machine."""
    times = [process.cpu_times() for process in _browser(page)]
    return sum(each.user + each.system for each in times)


def _browser(page: Page) -> list[psutil.Process]:
    return psutil.Process(page.driver.service.process.pid).children(recursive=True)


def main() -> None:
    work, counts = Path(sys.argv[1]).absolute(), [int(count) for count in sys.argv[2:]]
    few, found = few_restored(work), {}
    with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as page:
        for count in counts:
            output, folder = multiplied(few, count, work), work / f"report-{count}"
            cost = made(lambda output=output: OutputReport({"": Location(str(output))}), folder)
            found[f"{count} images"] = cost | looked_at(page, folder)
            print(json.dumps({count: found[f"{count} images"]}, indent=2), flush=True)
    output = multiplied(few, PICTURED, work)
    every = made(lambda: OutputReport({"": Location(str(output))}, None), work / "report-every")
    found[f"{PICTURED} images, each with pictures"] = every
    RECORD.write_text(json.dumps({"circumstances": circumstances(), **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
