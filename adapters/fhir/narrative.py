"""Narrative that a browser may show: well-formed XHTML without script. Rules txt-1 and txt-2.

Source: https://hl7.org/fhir/R4/narrative.html#xhtml.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

__all__ = ["is_narrative"]

_SPACE = "http://www.w3.org/1999/xhtml"
_TAGS_NAMES = """
    a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2
    h3 h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th
    thead tr tt ul var"""
_TAGS = frozenset(_TAGS_NAMES.split())
_ATTRIBUTES_NAMES = """
    abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign
    char charoff charset cite class colspan compact coords dir frame headers height href
    hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src
    start style summary tabindex title type usemap valign value vspace width"""
_ATTRIBUTES = frozenset(_ATTRIBUTES_NAMES.split())
# A link or picture may lead to a page, a mail, inline data or a contained resource: never to code.
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.\-]*):").match
_SCHEMES = frozenset({"http", "https", "mailto", "tel", "data", "urn", "ftp", "cid"})
_MAX_SIZE = 1_048_576  # characters: a string of FHIR
# Entities of HTML 4.0 are allowed and are not defined in XML; a document type is not allowed.
_ENTITY = re.compile(r"&[A-Za-z][A-Za-z0-9]{1,31};")
_XML_ENTITIES = frozenset({"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"})


class _NotNarrativeError(ValueError):
    """The text holds what no narrative may hold."""


def is_narrative(div: str) -> bool:
    """True for one XHTML `div` with words or a picture in it and nothing that acts.

    Tags and attributes are those of chapters 7-11 and 15 of HTML 4.0; no script, form,
    object, event handler, document type, processing instruction or `javascript:` link.
    """
    if len(div) > _MAX_SIZE or "<!DOCTYPE" in div or "<!ENTITY" in div:
        return False
    seen = _Content()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = seen.start
    parser.CharacterDataHandler = seen.text
    parser.ProcessingInstructionHandler = seen.refuse
    try:
        parser.Parse(_ENTITY.sub(_plain_entity, div), True)
    except (expat.ExpatError, _NotNarrativeError):
        return False
    return seen.shown


def _plain_entity(match: re.Match[str]) -> str:
    return match[0] if match[0] in _XML_ENTITIES else "x"


class _Content:
    """What the parser has met so far."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.root, self.shown = True, False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        wrong = space != _SPACE or tag not in _TAGS or (self.root and tag != "div")
        if wrong or any(_unsafe(attributes)):
            raise _NotNarrativeError
        self.root, self.shown = False, self.shown or tag == "img"

    def text(self, data: str) -> None:
        self.shown = self.shown or not data.isspace()

    def refuse(self, _target: str, _data: str) -> None:
        raise _NotNarrativeError


def _unsafe(attributes: dict[str, str]) -> Iterator[bool]:
    for name, value in attributes.items():
        yield name not in _ATTRIBUTES and not name.startswith("http://www.w3.org/XML/1998/")
        if name in {"href", "src", "cite", "longdesc", "usemap"}:
            scheme = _SCHEME(value)
            yield scheme is not None and scheme[1].lower() not in _SCHEMES
