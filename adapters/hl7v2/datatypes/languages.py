"""Languages: a code of ISO 639, or the name of a language, as FHIR wants it, in BCP 47.

R4 binds a language to all of BCP 47 and to nothing else
(https://hl7.org/fhir/R4/valueset-all-languages.html); HL7 table 0296 is the site's own and
suggests ISO 639. BCP 47 writes the shortest code of ISO 639 (RFC 5646 s2.2.1).
"""

from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import label, look_up
from adapters.hl7v2.datatypes.components import code_part, part, split_parts
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.tables import CodeTable, load
from bridge.core.record.bundle import JsonObject

__all__ = ["language", "language_tag"]

_CODED: Final = "CE CWE CNE CF IS ID"
_BCP_47: Final = "urn:ietf:bcp:47"
_TRIPLETS: Final = (1, 4, 10)
_READS: Final = (*range(1, 15), 17, 20)
"""Systems and versions too: BCP 47 takes their place."""
_ISO_639_3: Final = frozenset({"ISO6393", "ISO639-3", "ISO-639-3", "urn:iso:std:iso:639:-3"})
"""Names of the list that knows each of 7,000 languages by three letters."""


@datatype(_CODED, "Language", reads=_READS, gives="CodeableConcept", coded=True)
def language(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """The language with what the sender calls it; one that nobody knows is its words alone.

    Findings: `code-unmapped` when none of the codes is a language.
    """
    words = label(text, ctx)
    if not words:
        return None
    found = _found(split_parts(text, ctx), ctx, table)
    if found is None:
        return {"text": words}
    system, code, display = found
    coding: JsonObject = {"system": system, "code": code}
    if display:
        coding["display"] = display
    same = words.lower() == code.lower()
    return {"coding": [coding]} if same else {"coding": [coding], "text": words}


@datatype(_CODED, "LanguageTag", reads=_READS, gives="code", coded=True)
def language_tag(text: str, ctx: Context, table: CodeTable | None = None) -> str | None:
    """The language's code alone; None with a finding as `Language` when there is none."""
    found = _found(split_parts(text, ctx), ctx, table)
    return found[1] if found else None


def _found(parts: list[str], ctx: Context, table: CodeTable | None) -> tuple[str, str, str] | None:
    """System, code and display of the first triplet that is a language."""
    known = load("PrimaryLanguage") if table is None else table
    sent = [(code, at) for at in _TRIPLETS if (code := code_part(parts, at, ctx))]
    for code, at in sent:
        tag = code.replace("_", "-")
        row = look_up(known, tag) or _regional(tag, known)
        if row is None and part(parts, at + 2, ctx) in _ISO_639_3 and _letters(code, 3):
            row = _BCP_47, code.lower(), ""
        if row is not None:
            return row
    if sent:
        ctx.note(
            "code-unmapped", "the code is no language of ISO 639: map it in the sender's table"
        )
    return None


def _regional(tag: str, known: CodeTable) -> tuple[str, str, str] | None:
    """`fr-TN`: a language as it is spoken in a country of ISO 3166."""
    name, _, country = tag.partition("-")
    row = look_up(known, name) if _letters(country, 2) else None
    return (row[0], f"{row[1]}-{country.upper()}", "") if row else None


def _letters(text: str, count: int) -> bool:
    return len(text) == count and text.isascii() and text.isalpha()
