"""What belongs to what in one message: parent orders, reports and specimens, organisms and tests.

A rule that meets a parent's number notes it; once all segments are read the number is a reference
to the resource that bears it, or stays a logical reference to one that another message brought.
Microbiology: the susceptibilities of a child report are members of the organism that OBR-26 names,
HL7 v2.5.1 ch. 7.4.1.26; within one report those of the organism's own OBX-4, ch. 7.4.2.4.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, cast

from msgspec import Raw

from adapters.hl7v2.bearers import Bearers
from adapters.hl7v2.datatypes.concepts import SUB_ID
from adapters.hl7v2.memory import plain
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical

__all__ = ["MAX_LOOKS", "Child", "Kin", "Numbered", "resolve"]

MAX_LOOKS: Final = 1_000_000
"""Results that are looked at for the parents of all child reports of a message: half a second. A
blood culture of fifty child reports, each among 1,500 results, needs a thirteenth of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One report whose parent result OBR-26 names."""

    report: JsonObject
    numbers: tuple[JsonObject, ...]
    """Identifiers of OBR-29; none where the sender left it empty."""
    code: JsonObject
    """The parent result's code, a CodeableConcept."""
    sub_id: str
    value: str
    """What the parent result said, as the sender repeats it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One reference by number, from the resource that holds it."""

    reference: JsonObject
    """Its `type` and `identifier`."""
    holder: JsonObject
    stub: JsonObject | None = None
    """What the number says of a resource of another message, under the id that it has there."""


@dataclass(slots=True, kw_only=True)
class Kin:
    """What the rules of one message noted; empty for most messages."""

    logical: list[Numbered] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    cultures: list[JsonObject] = field(default_factory=list)
    """Reports of microbiology, whose OBX-4 may tell organisms apart."""


def resolve(kin: Kin, resources: Iterable[JsonObject], keep: Callable[[JsonObject], None]) -> None:
    """Make references of numbers, and members of results; alters the resources in place."""
    if not (kin.logical or kin.children or kin.cultures):
        return
    made = [(cast("str", one["resourceType"]), one) for one in resources]
    bearers, links = Bearers(made), _Links()
    for one in kin.logical:
        _number_to_name(one, bearers, keep)
    by_name = {_name(one): one for kind, one in made if kind == "Observation"}
    if kin.children:
        parents = _Parents([one for kind, one in made if kind == "DiagnosticReport"],
                           bearers, by_name)  # fmt: skip
        for child in kin.children:
            _adopt(child, parents, links)
    for report in kin.cultures:
        _group(_results(report, by_name), links)


def _number_to_name(one: Numbered, bearers: Bearers, keep: Callable[[JsonObject], None]) -> None:
    """A literal reference where one resource of the message bears the number, or a stub does."""
    number = cast("JsonObject", one.reference["identifier"])
    others = (
        resource
        for resource in bearers.of(one.reference["type"], [number])
        if resource is not one.holder
    )
    found = [*islice(others, 2)]
    if not found and one.stub is not None and one.stub["id"] != one.holder["id"]:
        keep(one.stub)
        found = [one.stub]
    if len(found) == 1:
        del one.reference["identifier"]
        one.reference["reference"] = _name(found[0])


class _Parents:
    """The results that a child report may be about; each is read once and looked at often."""

    def __init__(
        self, reports: list[JsonObject], bearers: Bearers, by_name: dict[str, JsonObject]
    ) -> None:
        """Take what the message holds."""
        self._reports, self._bearers, self._by_name = reports, bearers, by_name
        self._read: dict[int, list[_Result]] = {}
        self._looks = 0

    def of(self, child: Child) -> list[JsonObject]:
        """Results of other reports with the child's code and, where it has one, its OBX-4."""
        wanted, label = _codes(child.code), _label(child.code)
        reports = self._bearers.of("DiagnosticReport", child.numbers)
        return [
            one.resource
            for report in (reports if child.numbers else self._reports)
            if report is not child.report
            for one in self._results(report)
            if (not child.sub_id or one.sub_id == child.sub_id)
            and (bool(wanted & one.codes) if wanted and one.codes else label == one.label)
        ]

    def results(self, report: JsonObject) -> list[JsonObject]:
        """All of the report that the message holds."""
        return _results(report, self._by_name)

    def _results(self, report: JsonObject) -> "list[_Result]":
        read = self._read.get(id(report))
        if read is None:
            read = self._read[id(report)] = [_result(one) for one in self.results(report)]
        self._looks += 1 + len(read)
        if self._looks > MAX_LOOKS:
            raise BridgeError(
                "parents-many",
                Fault.SENDER,
                what=f"its parent results would be sought among more than {MAX_LOOKS:,} others",
                where="OBR-26",
                do="name the parent's order in OBR-29, or send fewer reports in one message",
            )
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    resource: JsonObject
    codes: set[str]
    label: str
    sub_id: str


def _result(one: JsonObject) -> _Result:
    code = _object(one.get("code"))
    return _Result(resource=one, codes=_codes(code), label=_label(code), sub_id=_sub_id(one))


def _adopt(child: Child, known: _Parents, links: "_Links") -> None:
    """The child's results become members of the parent result, or say in words whose they are."""
    members = known.results(child.report)
    parents = known.of(child)
    if len(parents) > 1 and child.value:
        parents = [one for one in parents if child.value in _shown(one)] or parents
    if parents:
        links.members(parents[0], members)
        return
    words = ": ".join(text for text in (_label(child.code), child.value) if text)
    for member in members:
        links.append(member, "derivedFrom", {"type": "Observation", "display": words})


def _group(results: list[JsonObject], links: "_Links") -> None:
    """One report holds organisms and their tests: those of one group of OBX-4 are one organism's.

    The group is OG.2, or the text before the first dot; its first coded result is the organism.
    """
    organisms: dict[str, JsonObject] = {}
    for one in results:
        group = _cluster(one)
        if group and "valueCodeableConcept" in one:
            organisms.setdefault(group, one)
    for one in results:
        organism = organisms.get(_cluster(one))
        if organism is not None and one is not organism:
            links.members(organism, [one])


class _Links:
    """References that a list gets once, however long it becomes."""

    def __init__(self) -> None:
        """Know of no list yet."""
        self._held: dict[tuple[int, str], set[bytes]] = {}

    def members(self, parent: JsonObject, members: Iterable[JsonObject]) -> None:
        """The members, less the parent itself."""
        for member in members:
            if member is not parent:
                self.append(parent, "hasMember", {"reference": _name(member)})

    def append(self, resource: JsonObject, name: str, reference: JsonObject) -> None:
        """One reference, at the end."""
        listed = cast("list[Json]", resource.setdefault(name, []))
        held = self._held.get((id(resource), name))
        if held is None:
            held = self._held[id(resource), name] = {canonical(one) for one in listed}
        added = canonical(reference)
        if added not in held:
            held.add(added)
            listed.append(reference)


def _codes(concept: JsonObject) -> set[str]:
    return {str(one.get("code", "")) for one in cast("list[JsonObject]", concept.get("coding", []))}


def _label(concept: JsonObject) -> str:
    """Text of a concept, else a display, else a code."""
    first = next(iter(cast("list[dict[str, str]]", concept.get("coding", []))), {})
    return str(concept.get("text") or first.get("display") or first.get("code") or "")


def _shown(one: JsonObject) -> set[str]:
    """Every text by which a result's value may be repeated."""
    concept = _object(one.get("valueCodeableConcept"))
    shown = {str(one.get("valueString", "")), str(concept.get("text", ""))}
    for coding in cast("list[JsonObject]", concept.get("coding", [])):
        shown |= {str(coding.get("code", "")), str(coding.get("display", ""))}
    return shown - {""}


def _sub_id(one: JsonObject) -> str:
    """OBX-4 as the extension keeps it: the original text, else its parts joined by dots."""
    return ".".join(_text(part) for part in _sub_parts(one))


def _cluster(one: JsonObject) -> str:
    """What OBX-4 groups by."""
    for part in _sub_parts(one):
        if part.get("url") in {"group", "original-sub-identifier"}:
            return _text(part).partition(".")[0]
    return ""


def _sub_parts(one: JsonObject) -> list[JsonObject]:
    for extension in _items(one, "extension"):
        if extension.get("url") == SUB_ID:
            return cast("list[JsonObject]", extension["extension"])
    return []


def _text(part: JsonObject) -> str:
    value = part.get("valueString", part.get("valueDecimal", ""))
    return bytes(value).decode() if isinstance(value, Raw) else str(value)


def _results(report: JsonObject, by_name: dict[str, JsonObject]) -> list[JsonObject]:
    names = [str(one.get("reference", "")) for one in _items(report, "result")]
    return [by_name[name] for name in names if name in by_name]


def _items(resource: JsonObject, name: str) -> Iterator[JsonObject]:
    for one in cast("list[Json]", plain(resource.get(name)) or []):
        yield _object(one)


def _object(value: Json) -> JsonObject:
    """Empty where there is none."""
    return cast("JsonObject", plain(value) or {})


def _name(resource: JsonObject) -> str:
    return f"{cast('str', resource['resourceType'])}/{cast('str', resource['id'])}"
