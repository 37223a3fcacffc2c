"""What derivatives say of themselves, and whether an output is still what its rows say."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as PillowImage

from dip.configuration import Configuration
from dip.errors import StorageError
from dip.evaluation.change import change_between
from dip.images import decode, encode
from dip.images.xmp import RDF, with_history
from dip.pipeline.page import PageStages
from dip.pipeline.stages import process
from dip.storage import Location
from dip.storage.results import ROW_SCHEMA
from tests.conftest import files_below, photograph, write_photographs
from tests.one_image import job, row_of, run
from tests.test_images import encoded

DENOISE = Configuration("denoise", max_iterations=10)
OF = {"source_name": "box/a.tif", "source_sha256": "00ff", "agent": "dip 1", "what": "task=denoise"}
DESCRIPTION = "<rdf:Description rdf:about='' {}>{}</rdf:Description>"
MEDIA = 'xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"'
IPTC = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'


def packet(attributes: str = "", properties: str = "") -> bytes:
    description = DESCRIPTION.format(attributes, properties)
    meta = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">{description}</rdf:RDF></x:xmpmeta>'
    )
    return f'<?xpacket begin=""?>{meta}<?xpacket end="w"?>'.encode()


EARLIER = packet(
    f'{MEDIA} {IPTC} Iptc4xmpExt:DigitalSourceType="scan" xmlns:dc="http://purl.org/dc/elements/1.1/"',
    "<dc:source>A box</dc:source><xmpMM:History><rdf:Seq><rdf:li rdf:parseType='Resource'>"
    "<stEvt:action>created</stEvt:action></rdf:li></rdf:Seq></xmpMM:History>",
)


def texts(content: bytes, name: str) -> list[str]:
    """The texts of all elements so called."""
    return [element.text for element in ET.fromstring(content).iter() if element.tag.endswith(f"}}{name}")]


@pytest.mark.parametrize("before", [None, b"no xml at all", packet()], ids=["none", "broken", "empty"])
def test_history_is_written_where_there_was_none(before):
    after = with_history(before, **OF)
    assert texts(after, "action") == ["edited"]
    assert texts(after, "filePath") == ["box/a.tif"]
    assert texts(after, "documentID") == ["sha256:00ff"]


def test_history_goes_on_and_everything_else_stays():
    after = with_history(EARLIER, **OF)
    assert texts(after, "action") == ["created", "edited"]
    assert texts(after, "source") == ["A box"]
    assert b'DigitalSourceType="scan"' not in after
    assert [text.rsplit("/", 1)[1] for text in texts(after, "DigitalSourceType")] == [
        "algorithmicallyEnhanced"
    ]
    again = with_history(after, **OF)
    assert texts(again, "action") == ["created", "edited", "edited"]
    assert len(texts(again, "DerivedFrom")) == len(texts(again, "DigitalSourceType")) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_history_goes_on_in_every_encoding_of_xmp(encoding):
    written = with_history(EARLIER.decode().encode(encoding), **OF)
    assert texts(written, "source") == ["A box"]


def test_packet_is_written_alike_whatever_was_written_before():
    default = packet("", '<a xmlns="http://u/">1</a>')
    alone = with_history(default, **OF)
    with_history(packet('xmlns:foo="http://u/"', "<foo:a>1</foo:a>"), **OF)
    assert with_history(default, **OF) == alone


def test_change_is_told_in_shares_of_the_range():
    source = np.full((1, 32, 32), 0.5, np.float32)
    restored = source.copy()
    restored[:, :16] += 0.1
    change = change_between(source, restored, 8)
    assert change.mean_absolute == pytest.approx(0.05)
    assert change.changed_share == 0.5
    assert change.colour_drift == pytest.approx(0.1)
    assert change_between(source, source, 8).changed_share == 0


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_exiftool_reads_where_a_derivative_comes_from(tmp_path, suffix):
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (libimage-exiftool-perl)")
    (tmp_path / "in").mkdir()
    photograph("coffee").save(tmp_path / "in" / f"a{suffix}")
    row = run(tmp_path, f"a{suffix}", DENOISE)
    command = ["exiftool", "-j", "-s", tmp_path / "out" / row["output_name"]]
    (tags,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert tags["DigitalSourceType"].endswith("algorithmicallyEnhanced")
    assert tags["DerivedFromDocumentID"] == f"sha256:{row['source_sha256']}"
    assert row["config_hash"] in str(tags["HistoryParameters"])


def test_xmp_of_a_png_is_replaced_not_doubled():
    image = decode(encode(decode_plain(), "png"), "a.png")
    once = encode(with_packet(image, EARLIER), "png")
    twice = encode(with_packet(decode(once, "a.png"), packet()), "png")
    assert once.count(b"XML:com.adobe.xmp") == twice.count(b"XML:com.adobe.xmp") == 1
    assert decode(twice, "a.png").metadata.xmp == packet()


def decode_plain():
    return decode(encoded(photograph("coffee"), "PNG", dpi=(300, 300)), "a.png")


def with_packet(image, content):
    return replace(image, metadata=image.metadata.with_xmp(content))


def test_sidecar_tells_what_the_row_tells(tmp_path):
    write_photographs(tmp_path / "in", 1)
    row = run(tmp_path, "photo-00.png", DENOISE)
    sidecar = json.loads((tmp_path / "out" / "images" / "photo-00.png.json").read_text())
    assert sidecar["source"]["sha256"] == row["source_sha256"]
    assert sidecar["derivative"]["sha256"] == row["output_sha256"]
    assert sidecar["configuration"]["task"] == "denoise"
    assert sidecar["stop"]["iterations"] == 10
    assert sidecar["change"]["mean_absolute"] == row["mean_absolute_change"] > 0
    assert sidecar["change"]["unmasked_pixels_are_the_source's"] is None
    assert "no master" in sidecar["statement"]


def test_unmasked_pixels_are_checked(tmp_path):
    write_photographs(tmp_path / "in", 1)
    mask = np.zeros((48, 48), np.uint8)
    mask[10:20, 10:20] = 255
    PillowImage.fromarray(mask).save(tmp_path / "mask.png")
    masks = {"masks": Location(str(tmp_path)), "mask_id": "mask.png"}
    row = run(tmp_path, "photo-00.png", Configuration("inpaint", max_iterations=5), **masks)
    assert row["keeps_unmasked"] is True
    assert row["changed_share"] <= 100 / 48**2


def test_source_that_changes_meanwhile_is_a_failed_image(tmp_path, monkeypatch):
    write_photographs(tmp_path / "in", 1)
    source = tmp_path / "in" / "photo-00.png"
    restore = PageStages.restore

    def restore_and_touch(stages, *arguments):
        source.write_bytes(source.read_bytes() + b"\0")
        return restore(stages, *arguments)

    monkeypatch.setattr(PageStages, "restore", restore_and_touch)
    finished = job(tmp_path, "photo-00.png", DENOISE)
    process(finished)
    row = row_of(finished)
    assert row["status"] == "failed"
    assert "was changed while it was restored" in row["error_message"]
    assert not (tmp_path / "out" / "images").exists()


def test_source_is_read_once_if_it_is_still_as_it_was_listed(tmp_path, monkeypatch):
    """It is read again where its version tells nothing, or another time of writing."""
    source = Location(str(write_photographs(tmp_path / "in", 1)))
    (listed,) = source.find()
    reads = []
    for name in ("read", "sha256"):
        method = getattr(Location, name)

        def noting(location, path, method=method):
            reads.append(path)
            return method(location, path)

        monkeypatch.setattr(Location, name, noting)
    for version, times in ((listed.version, 1), ("", 2), (None, 2), ("earlier", 2)):
        reads.clear()
        asked = job(tmp_path, listed.name, Configuration("denoise", method="none"), source_version=version)
        process(asked)
        assert row_of(asked)["status"] == "restored"
        assert reads.count(listed.name) == times


def test_file_of_somebody_else_is_not_overwritten(tmp_path):
    write_photographs(tmp_path / "in", 1)
    images = tmp_path / "out" / "images"
    images.mkdir(parents=True)
    (images / "photo-00.png").write_bytes(b"drawn by hand")
    refused = run(tmp_path, "photo-00.png", DENOISE)
    assert refused["status"] == "failed"
    assert "Expected no file, or an unchanged one" in refused["error_message"]
    assert files_below(images) == {"photo-00.png": b"drawn by hand"}
    assert run(tmp_path, "photo-00.png", DENOISE, overwrite=True)["status"] == "restored"


def test_own_derivative_is_made_anew_unless_it_was_changed(tmp_path):
    write_photographs(tmp_path / "in", 1)
    derivative = tmp_path / "out" / "images" / "photo-00_restored.png"
    first = run(tmp_path, "photo-00.png", DENOISE, suffix="_restored")
    assert first["output_name"] == "images/photo-00_restored.png"
    again = run(tmp_path, "photo-00.png", replace(DENOISE, max_iterations=5), suffix="_restored")
    assert again["status"] == "restored"
    assert again["output_sha256"] != first["output_sha256"]
    retouched = derivative.read_bytes() + b"retouched"
    derivative.write_bytes(retouched)
    refused = run(tmp_path, "photo-00.png", DENOISE, suffix="_restored")
    assert refused["status"] == "failed"
    assert derivative.read_bytes() == retouched


def test_run_cut_off_before_it_replaced_a_derivative_is_taken_up(tmp_path, monkeypatch):
    write_photographs(tmp_path / "in", 1)
    run(tmp_path, "photo-00.png", DENOISE)
    write = Location.write

    def fail_at_the_image(location, name, content):
        if name.startswith("images/") and not name.endswith(".json"):
            raise StorageError("Expected to write; the storage failed.")
        write(location, name, content)

    monkeypatch.setattr(Location, "write", fail_at_the_image)
    other = replace(DENOISE, max_iterations=5)
    failed = run(tmp_path, "photo-00.png", other)
    assert failed["status"] == "failed"
    assert failed["output_name"] is failed["output_sha256"] is failed["sidecar_sha256"] is None
    monkeypatch.setattr(Location, "write", write)
    assert run(tmp_path, "photo-00.png", other)["status"] == "restored"


def test_jpeg_is_checked_as_it_was_written(tmp_path):
    write_photographs(tmp_path / "in", 1)
    PillowImage.fromarray(np.eye(48, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    masks = {"masks": Location(str(tmp_path)), "mask_id": "mask.png"}
    row = run(
        tmp_path, "photo-00.png", Configuration("inpaint", max_iterations=5), file_format="jpeg", **masks
    )
    assert row["output_name"] == "images/photo-00.png.jpg"
    assert row["keeps_unmasked"] is False  # a JPEG keeps no pixel


def test_verify_finds_what_is_missing_changed_or_extra(dip, tmp_path):
    write_photographs(tmp_path / "in", 50, side_px=16)
    line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", "--method", "wavelet")
    assert dip(*line).returncode == 0
    sound = dip("verify", tmp_path / "out")
    assert sound.returncode == 0, sound.stderr
    assert sound.stdout == f"100 files of {tmp_path}/out/images: all as they were written.\n"
    images = tmp_path / "out" / "images"
    content = bytearray((images / "photo-03.png").read_bytes())
    content[40] ^= 1
    (images / "photo-03.png").write_bytes(content)
    (images / "photo-01.png.json").unlink()
    (images / "stray.txt").write_text("not ours")
    broken = dip("verify", tmp_path / "out")
    assert broken.returncode == 1
    assert broken.stdout.splitlines()[:3] == [
        "missing: images/photo-01.png.json",
        "extra: images/stray.txt",
        "changed: images/photo-03.png",
    ]
    nothing = dip("verify", tmp_path / "in")
    assert (nothing.returncode, nothing.stderr.startswith("Error: Expected results")) == (2, True)


def test_verify_looks_into_rows_with_images(dip, tmp_path):
    write_photographs(tmp_path / "in", 3, side_px=16)
    asked = ("--task", "denoise", "--method", "wavelet", "--embed")
    assert dip("restore", tmp_path / "in", tmp_path / "out", *asked).returncode == 0
    checked = f"0 files of {tmp_path}/out/images and 3 images embedded in {tmp_path}/out/metrics"
    assert dip("verify", tmp_path / "out").stdout == f"{checked}: all as they were written.\n"
    (part,) = (tmp_path / "out" / "metrics").iterdir()
    rows = pq.read_table(part).to_pylist()
    rows[0]["image"] = None
    rows[1]["image"]["bytes"] = rows[2]["image"]["bytes"]
    pq.write_table(pa.Table.from_pylist(rows, schema=ROW_SCHEMA), part)
    broken = dip("verify", tmp_path / "out")
    assert broken.returncode == 1
    assert broken.stdout == f"missing: photo-00.png\nchanged: photo-01.png\n{checked}: 2 problems.\n"
