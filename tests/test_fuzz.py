"""What comes from outside may be anything: nothing but our own errors, nothing written beside the output.

`python -m tests.bench.fuzz` runs the same for longer.
"""

import contextlib
import json
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dip.configuration import Configuration
from dip.errors import DipError, ImageError
from dip.images import decode
from dip.methods.canonical import config_hash
from dip.storage import Location
from dip.storage.part_files import PartFile, read_rows
from dip.storage.results import Row, encode_record
from dip.storage.sidecar import describes
from flows.parameters import ArchiveParameters, BenchmarkParameters
from flows.runs.accounts import open_run
from flows.runs.manifest import Entry, encode_manifest, read_shard
from flows.runs.run import Run, Shard
from tests import one_image
from tests.conftest import files_below, photograph
from tests.test_formats import SOURCES
from tests.test_images import encoded

PHOTOGRAPH = encoded(photograph("coffee", 8))
ENTRIES = [Entry(f"{number}.png", "1", f"{number}.png") for number in range(6)]
ROWS = [
    Row("run", entry.image_id, "in", "denoise", "auto", "00ff", 0, "1", datetime.now(UTC), "dip")
    for entry in ENTRIES
]
RUN = {"total": 6, "shard_size": 3, "run_id": "run", "asked": {}, "software_version": "1", "started_at": ""}

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.builds(
    "/".join, st.lists(st.sampled_from(["..", ".", "", "a", "b.png", "~", "\0", "\n", "\x1b[2J"]), min_size=1)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
MUTATIONS = st.lists(
    st.tuples(st.floats(0, 1), st.binary(max_size=40), st.integers(0, 40)), min_size=1, max_size=4
)


def mutated(content: bytes, mutations: list[tuple[float, bytes, int]]) -> bytes:
    """Some stretches replaced by others, shorter or longer."""
    changed = bytearray(content)
    for where, noise, length in mutations:
        start = int(where * len(changed))
        changed[start : start + length] = noise
    return bytes(changed)


@contextlib.contextmanager
def folder():
    """An empty folder for an example: a fixture would be one for all."""
    path = tempfile.mkdtemp()
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path)


def part_of(rows) -> bytes:
    part = PartFile()
    for row in rows:
        part.add(encode_record(row))
    return part.finish()[0]


# No deadlines: the first example loads what the others have, and a tag can claim millions of pixels.
@settings(deadline=None)
@given(st.sampled_from(sorted(SOURCES)), MUTATIONS)
def test_image_bytes(name, mutations):
    with contextlib.suppress(ImageError):
        decode(mutated(SOURCES[name], mutations), name)


@settings(deadline=None)
@given(MUTATIONS)
def test_manifest_bytes(mutations):
    with folder() as path, contextlib.suppress(DipError):
        output = Location(str(path))
        output.write("manifest", mutated(encode_manifest(ENTRIES, 3)[0], mutations))
        assert all(isinstance(entry, Entry) for entry in read_shard(output, "manifest", 0))


@settings(deadline=None)
@given(NAMES, NAMES | st.none())
def test_names_in_manifests(image_id, mask_id):
    with folder() as path:
        for place in ("in/a.png", "b.png", "masks/a.png"):
            (path / place).parent.mkdir(exist_ok=True)
            (path / place).write_bytes(PHOTOGRAPH)
        before = files_below(path)
        job = one_image.job(
            path,
            image_id,
            Configuration("inpaint" if mask_id else "denoise", method="none"),
            masks=Location(str(path / "masks")) if mask_id else None,
            mask_id=mask_id,
        )
        # The record's name is made from a checksum, and no image's to choose.
        one_image.process(replace(job, record="records/one.arrow"))
        after = files_below(path)
        assert {name for name in after if not name.startswith("out/")} == set(before)
        assert all(after[name] == content for name, content in before.items())


@settings(deadline=None)
@given(MUTATIONS)
@example([(0.90625, bytes(4), 0)])  # a record that is read, and breaks what it is put together with
@example([(0.009765625, b"\0\x80", 2)])  # a part file with a name that is no Unicode
def test_record_and_part_bytes(mutations):
    with folder() as path:
        output = Location(str(path))
        run = Run(one_image.job(path, "", Configuration("denoise"), output="."), 3, 3)
        output.write(run.manifest, encode_manifest(ENTRIES[:3], 3)[0])
        for row in ROWS[:3]:
            output.write(run.record(0, row.image_id), mutated(encode_record(row), mutations))
        with contextlib.suppress(DipError):
            Shard(run, 0, frozenset()).commit()
        output.write("metrics/part-run-00000.parquet", mutated(part_of(ROWS), mutations))
        with contextlib.suppress(DipError):
            read_rows(output).to_pylist()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*RUN, "else"]), JSON) | JSON, MUTATIONS)
def test_description_of_a_run(described, mutations):
    asked = {"task": "denoise", "source": "in"}
    known = {**RUN, **described} if isinstance(described, dict) else described
    with folder() as path:
        parameters = ArchiveParameters(**asked, output=str(path / "out"))
        for content in (json.dumps(known).encode(), mutated(json.dumps(RUN).encode(), mutations)):
            parameters.results.write("runs/run/run.json", content)
            parameters.results.write("metrics/part-run-x.parquet", content)
            with pytest.raises(DipError):
                open_run(parameters)


@settings(deadline=None)
@given(JSON, MUTATIONS)
def test_sidecars(content, mutations):
    for sidecar in (content, {"derivative": content}, {"derivative": {"sha256": content}}):
        assert not describes(mutated(json.dumps(sidecar).encode(), mutations), b"image")
    assert not describes(b"[" * 100_000, b"image")


@settings(deadline=None)
@given(
    st.sampled_from([ArchiveParameters, BenchmarkParameters]),
    st.data(),
)
def test_parameters(kind, data):
    fields = sorted(kind.model_fields.keys() - {"weights"})
    words = st.sampled_from(
        ["denoise", "inpaint", "super-resolution", "dip", "none", "paper", "skip", "auto"]
    )
    numbers = st.integers(-1, 300) | st.floats(-1, 100)
    values = data.draw(st.dictionaries(st.sampled_from(fields), words | numbers | st.booleans() | JSON))
    task = data.draw(st.sampled_from(["denoise", "inpaint", "super-resolution"]))
    with contextlib.suppress(ValidationError, DipError):
        parameters = kind(**({"source": "in", "output": "out", "task": task} | values))
        assert len(config_hash(parameters.configuration)) >= 8
        assert np.isfinite(parameters.configuration.scale_factor)
