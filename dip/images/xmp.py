"""XMP packets: the history of a derivative beside all that was there, without what holds no longer."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MEDIA = "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
REFERENCE = "http://ns.adobe.com/xap/1.0/sType/ResourceRef#"
BASIC = "http://ns.adobe.com/xap/1.0/"
NOTE = "http://ns.adobe.com/xmp/note/"
_EXIF, _TIFF = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/tiff/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_PREFIXES = {
    "x": "adobe:ns:meta/",
    "rdf": RDF,
    "xmpMM": MEDIA,
    "stEvt": EVENT,
    "stRef": REFERENCE,
    "Iptc4xmpExt": IPTC,
}

ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
"""IPTC's digital source type of an image that was changed by an algorithm."""

_HEAD, _TAIL = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n', '\n<?xpacket end="w"?>'


def with_history(packet: bytes | None, source_name: str, source_sha256: str, agent: str, what: str) -> bytes:
    """A packet that also says what an image derives from, what was done, and that an algorithm did it.

    Args:
        packet: the source's packet, or None. One that is no XML is given up.
        source_name: of the image's file.
        source_sha256: of its bytes.
        agent: the software.
        what: it did, in words.

    Source: XMP specification, part 2 (xmpMM, stEvt, stRef); IPTC Photo Metadata Standard 2023.1.

    >>> packet = with_history(None, "box 3/scan.tif", "00ff", "dip-restoration 0.1.0", "task=denoise")
    >>> b"box 3/scan.tif" in packet, b"sha256:00ff" in packet
    (True, True)
    """
    rdf = _rdf_of(packet)
    for description in rdf:
        _forget(description, f"{{{IPTC}}}DigitalSourceType", f"{{{MEDIA}}}DerivedFrom")
    added = ET.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    ET.SubElement(added, f"{{{IPTC}}}DigitalSourceType").text = ENHANCED
    origin = ET.SubElement(added, f"{{{MEDIA}}}DerivedFrom", {f"{{{RDF}}}parseType": "Resource"})
    ET.SubElement(origin, f"{{{REFERENCE}}}filePath").text = source_name
    ET.SubElement(origin, f"{{{REFERENCE}}}documentID").text = f"sha256:{source_sha256}"
    events = rdf.find(f".//{{{MEDIA}}}History/{{{RDF}}}Seq")
    if events is None:
        events = ET.SubElement(ET.SubElement(added, f"{{{MEDIA}}}History"), f"{{{RDF}}}Seq")
    event = ET.SubElement(events, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})
    for name, text in (("action", "edited"), ("softwareAgent", agent), ("parameters", what)):
        ET.SubElement(event, f"{{{EVENT}}}{name}").text = text
    return _packet_of(rdf)


def text_of(packet: bytes) -> str:
    """An XMP packet as text, with question marks for what is none.

    It is in UTF-8, UTF-16 or UTF-32, as JSON once was. Source: XMP specification, part 3.
    """
    return packet.decode(json.detect_encoding(packet), errors="replace").strip("\ufeff\0 \n")


def problem_of(packet: bytes) -> str | None:
    """Why a packet cannot be read; None if it can."""
    try:
        ET.fromstring(text_of(packet))
    except ET.ParseError as error:
        return str(error)
    return None


def joined(packet: bytes, extension: bytes) -> bytes:
    """A packet and its extended part as one, without the pointer from one to the other."""
    rdf = _rdf_of(packet)
    for description in rdf:
        _forget(description, f"{{{NOTE}}}HasExtendedXMP")
    rdf.extend(list(_rdf_of(extension)))
    return _packet_of(rdf)


def without_thumbnails(packet: bytes) -> bytes:
    """The packet without pictures of the image."""
    if "Thumbnails" not in text_of(packet) or problem_of(packet) is not None:
        return packet
    rdf = _rdf_of(packet)
    for description in rdf:
        _forget(description, f"{{{BASIC}}}Thumbnails")
    return _packet_of(rdf)


_SIZES = frozenset(
    [
        *(f"{{{_EXIF}}}{name}" for name in ("PixelXDimension", "PixelYDimension")),
        *(f"{{{_EXIF}}}FocalPlane{side}Resolution" for side in "XY"),
        *(f"{{{_TIFF}}}{name}" for name in ("ImageWidth", "ImageLength", "XResolution", "YResolution")),
    ]
)


def enlarged(packet: bytes, factor: int) -> bytes:
    """The packet of an image of `factor` times the height and width: sizes and resolutions are multiplied."""
    rdf = _rdf_of(packet)
    told = list(_sizes(rdf))
    for element, name, value in told:
        multiplied = re.sub(r"^\d+", lambda found: str(int(found[0]) * factor), value.strip())
        if name is None:
            element.text = multiplied
        else:
            element.set(name, multiplied)
    return _packet_of(rdf) if told else packet


def _sizes(rdf: ET.Element) -> Iterator[tuple[ET.Element, str | None, str]]:
    """Where a packet tells sizes: an element, which of its attributes if it is one, and what that says."""
    for description in rdf:
        yield from ((description, name, text) for name, text in description.items() if name in _SIZES)
        yield from ((each, None, each.text or "") for each in description if each.tag in _SIZES)


def _packet_of(rdf: ET.Element) -> bytes:
    root = ET.Element(f"{{{_PREFIXES['x']}}}xmpmeta")
    root.append(rdf)
    return (_HEAD + ET.tostring(root, encoding="unicode") + _TAIL).encode()


def _rdf_of(packet: bytes | None) -> ET.Element:
    """The packet's description of the image; an empty one if it has none."""
    for prefix, uri in _PREFIXES.items():
        ET.register_namespace(prefix, uri)
    empty = ET.Element(f"{{{RDF}}}RDF")
    if packet is None:
        return empty
    text = text_of(packet)
    namespaces: Any = ET.XMLPullParser(["start-ns"])
    try:
        root = ET.fromstring(text)
        namespaces.feed(text)
    except ET.ParseError:
        return empty
    # All of them: ElementTree would remember how another packet calls the ones that are left out.
    for number, (_, (prefix, uri)) in enumerate(namespaces.read_events()):
        is_free = prefix and not prefix.startswith("ns")  # which ElementTree keeps to itself
        ET.register_namespace(prefix if is_free else f"x{number}", uri)
    found = root if root.tag == empty.tag else root.find(f".//{empty.tag}")
    return empty if found is None else found


def _forget(description: ET.Element, *names: str) -> None:
    """Remove properties, whether written as elements or as attributes."""
    for name in names:
        description.attrib.pop(name, None)
        for element in description.findall(name):
            description.remove(element)
