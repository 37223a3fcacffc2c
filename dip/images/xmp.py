"""The history of a derivative in its XMP packet, beside all that was there."""

import xml.etree.ElementTree as ET
from typing import Any

from dip.images.metadata import xmp_text

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MEDIA = "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
REFERENCE = "http://ns.adobe.com/xap/1.0/sType/ResourceRef#"
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
        packet: the source's packet, or None. One that is no XML is given up: the sidecar has it all.
        source_name: of the image's file.
        source_sha256: of its bytes.
        agent: the software.
        what: it did, in words.

    Source: XMP specification, part 2 (xmpMM, stEvt, stRef); IPTC Photo Metadata Standard 2023.1.

    >>> packet = with_history(None, "box 3/scan.tif", "00ff", "dip-restoration 0.1.0", "task=denoise")
    >>> b"box 3/scan.tif" in packet, b"sha256:00ff" in packet
    (True, True)
    """
    for prefix, uri in _PREFIXES.items():
        ET.register_namespace(prefix, uri)
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
    root = ET.Element(f"{{{_PREFIXES['x']}}}xmpmeta")
    root.append(rdf)
    return (_HEAD + ET.tostring(root, encoding="unicode") + _TAIL).encode()


def _rdf_of(packet: bytes | None) -> ET.Element:
    """The packet's description of the image; an empty one if it has none."""
    empty = ET.Element(f"{{{RDF}}}RDF")
    if packet is None:
        return empty
    text = xmp_text(packet)
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
