"""A restoration in the words of PREMIS 3: the derivative, its source, what was done, and by what.

Source: PREMIS Data Dictionary for Preservation Metadata, version 3.0, 2015, and its XML schema.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Self
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = f"{{{_XSI}}}type"
HEAD = f'<premis:premis xmlns:premis="{NAMESPACE}" xmlns:xsi="{_XSI}" version="3.0">\n'
FOOT = "</premis:premis>\n"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
IN_TRANSFER = "objects"
"""Folder that an output's files come to lie in where the output is a transfer to Archivematica."""

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What has no place in XML 1.0; a file's name can hold it."""

NEEDED = [
    "run_id", "image_id", "source_url", "source_sha256", "output_name", "output_sha256", "status", "task",
    "method", "preset", "config_hash", "seed", "stop_reason", "notes", "software_version", "started_at",
]  # fmt: skip
"""Columns of a row that are told of."""

ET.register_namespace("premis", NAMESPACE)
ET.register_namespace("xsi", _XSI)


@dataclass(frozen=True)
class Restored:
    """A row of a restored image, as far as it is told of.

    Attributes:
        row: the columns `NEEDED`.
    """

    row: dict[str, Any]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self | None:
        """A row's; None where no file was written."""
        is_file = row["status"] == "restored" and row["output_name"] is not None
        return cls(row) if is_file else None

    @property
    def name(self) -> str:
        """Of the derivative, below the output."""
        return str(self.row["output_name"])

    @property
    def agent(self) -> str:
        """The software, by name and version."""
        return f"dip-restoration {self.row['software_version']}"

    @property
    def event_id(self) -> str:
        """Of what was done; the same whenever it is told."""
        return _id(self.row["run_id"], self.row["image_id"])

    def document(self) -> bytes:
        """All that there is to tell of it, by itself."""
        parts = [self.objects(), self.event(), agent_head(self.agent), link_to(self.event_id), AGENT_FOOT]
        return "".join([DECLARATION, HEAD, *parts, FOOT]).encode()

    def objects(self) -> str:
        """Derivative and source, as XML."""
        row = self.row
        derivative, source = self._derivative_id, self._source_id
        made = _object(derivative, row["output_sha256"], self.name, f"{IN_TRANSFER}/{self.name}")
        relation = _child(made, "relationship")
        _texts(relation, relationshipType="derivation", relationshipSubType="has source")
        _identified(relation, "relatedObjectIdentifier", source)
        _identified(relation, "relatedEventIdentifier", self.event_id)
        given = _object(source, row["source_sha256"], row["image_id"], row["image_id"])
        location = _child(_child(given, "storage"), "contentLocation")
        _texts(location, contentLocationType="URI", contentLocationValue=row["source_url"])
        for each in (made, given):
            _identified(each, "linkingEventIdentifier", self.event_id)
        return _xml(made) + _xml(given)

    def event(self) -> str:
        """What was done, as XML."""
        row = self.row
        event = ET.Element(_name("event"))
        _identified(event, "eventIdentifier", self.event_id)
        began: datetime = row["started_at"]
        _texts(event, eventType="modification", eventDateTime=began.isoformat())
        told = ("task", "method", "preset", "config_hash", "seed")
        detail = "; ".join(f'{name}="{row[name]}"' for name in told)
        _texts(_child(event, "eventDetailInformation"), eventDetail=f'program="{self.agent}"; {detail}')
        outcome = _child(event, "eventOutcomeInformation")
        _texts(outcome, eventOutcome="success")
        if remarks := [text for text in (row["stop_reason"], *(row["notes"] or ())) if text]:
            _texts(_child(outcome, "eventOutcomeDetail"), eventOutcomeDetailNote=" ".join(remarks))
        _identified(event, "linkingAgentIdentifier", self.agent, "local", "executing program")
        _identified(event, "linkingObjectIdentifier", self._source_id, role="source")
        _identified(event, "linkingObjectIdentifier", self._derivative_id, role="outcome")
        return _xml(event)

    @property
    def _derivative_id(self) -> str:
        return _id(self.row["run_id"], self.name, self.row["output_sha256"])

    @property
    def _source_id(self) -> str:
        return _id(self.row["source_url"], self.row["source_sha256"])


AGENT_FOOT = "</premis:agent>\n"


def agent_head(name: str) -> str:
    """The software, as XML that goes on with links to what it did, and ends with `AGENT_FOOT`."""
    agent = ET.Element(_name("agent"))
    _identified(agent, "agentIdentifier", name, "local")
    _texts(agent, agentName=name, agentType="software", agentVersion=name.partition(" ")[2])
    return _xml(agent).removesuffix(AGENT_FOOT)


def link_to(event_id: str) -> str:
    """A link to an event, as XML."""
    holder = ET.Element("holder")
    _identified(holder, "linkingEventIdentifier", event_id)
    return _xml(holder[0])


def _object(identifier: str, sha256: str | None, name: str, original_name: str) -> ET.Element:
    """A file, up to its original name."""
    # Archivematica looks for the type by this very text.
    file = ET.Element(_name("object"), {_TYPE: "premis:file"})
    _identified(file, "objectIdentifier", identifier)
    characteristics = _child(file, "objectCharacteristics")
    if sha256 is not None:
        _texts(_child(characteristics, "fixity"), messageDigestAlgorithm="SHA-256", messageDigest=sha256)
    designation = _child(_child(characteristics, "format"), "formatDesignation")
    _texts(designation, formatName=PurePosixPath(name).suffix.removeprefix(".").upper())
    _texts(file, originalName=original_name)
    return file


def _identified(
    parent: ET.Element, what: str, value: str, kind: str = "UUID", role: str | None = None
) -> None:
    """An identifier of a kind, and the role of what it names."""
    identifier = _child(parent, what)
    _texts(identifier, **{f"{what}Type": kind, f"{what}Value": value})
    if role is not None:
        _texts(identifier, **{what.replace("Identifier", "Role"): role})


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        _child(parent, name).text = _NO_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _child(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, _name(name))


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _xml(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode") + "\n"


def _id(*parts: str | None) -> str:
    """The same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(map(str, parts))))
