"""What was done to each image, in PREMIS 3, as Archivematica imports it."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import bagit
import numpy as np
import pytest
from lxml import etree
from PIL import Image

from dip.errors import ConfigurationError, StorageError
from dip.storage import Location
from dip.storage.premis import NAMESPACE, NEEDED, Restored
from flows.runs import premis
from flows.runs.premis import write_premis
from flows.runs.verification import verify
from tests.an_output import restored
from tests.conftest import files_below, write_photographs

SCHEMA = etree.XMLSchema(file=str(Path(__file__).with_name("premis.xsd")))
NAMES = {"premis": NAMESPACE, "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
DENOISED = {"task": "denoise", "method": "nlm", "noise_floor": 0}


def output_of(folder, count=2, **asked):
    write_photographs(folder / "in", count)
    return restored(folder / "in", folder / "out", **DENOISED | asked)


def parsed(content):
    """A document, which the schema allows."""
    document = etree.fromstring(content)
    SCHEMA.assertValid(document)
    return document


def texts(document, path):
    return [found.text for found in document.xpath(path, namespaces=NAMES)]


def linked(document, what):
    """Identifiers of entities of a kind, with those that they link to."""
    identifier = f"premis:{what}Identifier/premis:{what}IdentifierValue"
    return {
        texts(entity, identifier)[0]: set(
            texts(entity, "*[starts-with(local-name(), 'linking')]/*[contains(local-name(), 'Value')]")
        )
        for entity in document.xpath(f"premis:{what}", namespaces=NAMES)
    }


def test_every_derivative_is_told_of(tmp_path):
    output = output_of(tmp_path)
    before = files_below(tmp_path / "out")
    summary = write_premis(output)
    assert (summary.written, summary.kept) == (2, 0)
    found = files_below(tmp_path / "out")
    assert {name: found[name] for name in before} == before
    assert not verify(output).findings
    for name in ("photo-00.png", "photo-01.png"):
        document = parsed(found[f"metadata/premis/{name}.xml"])
        made, source = document.xpath("premis:object", namespaces=NAMES)
        digest = "premis:objectCharacteristics/premis:fixity/premis:messageDigest"
        assert texts(made, digest) == [hashlib.sha256(found[f"images/{name}"]).hexdigest()]
        assert texts(source, digest) == [hashlib.sha256((tmp_path / "in" / name).read_bytes()).hexdigest()]
        assert texts(made, "premis:originalName") == [f"objects/images/{name}"]
        assert texts(source, "premis:originalName") == [name]
        assert texts(document, "premis:event/premis:eventType") == ["modification"]
        began = texts(document, "premis:event/premis:eventDateTime")[0]
        assert datetime.fromisoformat(began).utcoffset() == datetime.now(UTC).utcoffset()


def test_one_document_has_all_that_archivematica_asks_for(tmp_path):
    write_premis(output_of(tmp_path))
    document = parsed((tmp_path / "out" / "metadata" / "premis.xml").read_bytes())
    # Its importer finds files by this text, and takes no link that leads nowhere, nor what nothing links to.
    files = document.xpath("premis:object[@xsi:type='premis:file']", namespaces=NAMES)
    objects, events, agents = (linked(document, what) for what in ("object", "event", "agent"))
    assert (len(files), len(objects), len(events), len(agents)) == (4, 4, 2, 1)
    for identifier, links in events.items():
        assert links <= objects.keys() | agents.keys()
        assert links & agents.keys() == agents.keys()
        assert len(links & objects.keys()) == 2
        assert all(identifier in (objects | agents)[link] for link in links)
    assert set().union(*objects.values(), *agents.values()) == events.keys()
    inside = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")}
    named = [
        name for name in texts(document, "premis:object/premis:originalName") if name.startswith("objects/")
    ]
    assert len(named) == 2
    assert {name.removeprefix("objects/") for name in named} <= inside


def test_what_is_there_is_kept_and_what_is_new_is_told(tmp_path):
    output = output_of(tmp_path)
    write_premis(output)
    single = tmp_path / "out" / "metadata" / "premis"
    (single / "photo-00.png.xml").unlink()
    (single / "photo-01.png.xml").write_bytes(b"half of")
    assert (write_premis(output).written, write_premis(output).kept) == (2, 2)
    Image.fromarray(np.full((48, 48, 3), 90, np.uint8)).save(tmp_path / "in" / "photo-01.png")
    restored(tmp_path / "in", tmp_path / "out", **DENOISED)
    summary = write_premis(output)
    assert (summary.written, summary.kept) == (1, 1)
    document = parsed((tmp_path / "out" / "metadata" / "premis.xml").read_bytes())
    assert len(document.xpath("premis:event", namespaces=NAMES)) == 2


def test_a_bag_stays_valid_and_a_damaged_one_is_found_out(tmp_path):
    output = output_of(tmp_path, bag=True)
    write_premis(output)
    bagit.Bag(str(tmp_path / "out")).validate()
    assert (tmp_path / "out" / "data" / "metadata" / "premis.xml").exists()
    assert write_premis(output).kept == 2
    bagit.Bag(str(tmp_path / "out")).validate()
    image = tmp_path / "out" / "data" / "images" / "photo-00.png"
    image.write_bytes(image.read_bytes()[::-1])
    write_premis(output)
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(tmp_path / "out")).validate()


def test_an_interrupted_one_of_a_bag_is_gone_on_with(tmp_path, monkeypatch):
    output = output_of(tmp_path, bag=True)

    def interrupted(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(premis, "_write_whole", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_premis(output)
    assert write_premis(output).kept == 2
    bagit.Bag(str(tmp_path / "out")).validate()


def test_without_files_or_rows_it_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none of the 2 images of .* is one\. Embedded"):
        write_premis(output_of(tmp_path, embed=True))
    with pytest.raises(StorageError, match="Expected results in"):
        write_premis(Location(str(tmp_path / "empty")))


def test_names_that_xml_cannot_hold_are_written_out():
    row = dict.fromkeys(NEEDED) | {
        "run_id": "run", "image_id": "a\x01<&é.tif", "source_url": "file:///in/a\x01<&é.tif",
        "source_sha256": "0", "output_name": "images/a\x01<&é.tif", "output_sha256": "1",
        "status": "restored", "software_version": "1", "started_at": datetime.now(UTC),
    }  # fmt: skip
    document = parsed(Restored.of(row).document())
    assert texts(document, "premis:object/premis:originalName") == [
        r"objects/images/a\x01<&é.tif", r"a\x01<&é.tif",
    ]  # fmt: skip


def test_command_tells_where_it_is(dip, tmp_path):
    output_of(tmp_path)
    said = dip("premis", tmp_path / "out")
    assert said.returncode == 0, said.stderr
    assert "2 documents written, 0 kept" in said.stdout
    assert "metadata/premis.xml" in said.stdout
