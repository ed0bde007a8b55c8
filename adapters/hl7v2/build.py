"""The bundle under construction: resources by their keys, references, deletes, and the trace."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias, cast

from msgspec import Raw, json

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.identifiers import governing
from adapters.hl7v2.datatypes.registry import DATATYPES, Convert
from adapters.hl7v2.dosing import Dosing
from adapters.hl7v2.enclosed import Enclosed
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.kinship import Kin
from adapters.hl7v2.memory import MAX_TEXT, Memory, Note, surroundings
from adapters.hl7v2.requisitions import Shared
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical
from bridge.core.record.identity import resource_id

__all__ = ["NO_FIELDS", "Build", "Referred", "Touch", "append", "element", "reference_to"]

Notes: TypeAlias = tuple[Note, ...]
Kept: TypeAlias = tuple[tuple[str, str], JsonObject, Raw]
"""Type and id, the resource, and its entry encoded."""
Referred: TypeAlias = tuple[JsonObject, list[Kept]]
"""A reference, empty where there is none, and the resources that it needs in the bundle."""
_KIND: Final = itemgetter(0)
NO_FIELDS: Final = [""] * 128
"""A segment that is not there: every field is empty. No HL7 segment has more than 60."""
Touch: TypeAlias = tuple[str, str, int, int, tuple[int, ...], str]
"""Row, segment, occurrence, field, components read (empty is all), target path."""


class Build:
    """Everything that the generated functions write into; one instance a message."""

    __slots__ = (
        "assumed", "at_hand",
        "base",
        "bundle",
        "code",
        "control",
        "ctx",
        "deletes",
        "dosing",
        "educations",
        "enclosed",
        "encoded",
        "exacts",
        "fallback",
        "header",
        "identities",
        "keys",
        "kin",
        "lines",
        "namespace",
        "nulls",
        "occurrences",
        "patients",
        "resources",
        "sender",
        "shared",
        "shelf",
        "trace",
        "trigger",
        "values",
    )  # fmt: skip

    def __init__(
        self,
        ctx: Context,
        *,
        header: list[str],
        source: str,
        base: str,
        memory: Memory,
        tracing: bool,
    ) -> None:
        """Start with what MSH says.

        Args:
            ctx: delimiters, sender, findings.
            header: MSH as fields, MSH-1 in place.
            source: hex SHA-256 of the bytes, the key of last resort.
            base: URL below which `fullUrl` is made.
            memory: of the sender's engine.
            tracing: also keep which row read which position.
        """
        self.ctx, self.namespace, self.base = ctx, ctx.namespace, base
        self.header = header
        self.code, self.trigger = self.comp(header[9], 1), self.comp(header[9], 2)
        self.control = ctx.text(header[10]).strip()
        self.sender = f"{header[3]}|{header[4]}"
        self.fallback = ("", self.sender, self.control or source)
        self.resources: dict[tuple[str, str], JsonObject] = {}
        self.patients: list[tuple[str, ...]] = []
        self.keys: dict[tuple[str, str], int] = {}
        self.kin = Kin()
        self.enclosed: list[Enclosed] = []
        self.dosing: dict[str, tuple[JsonObject, Dosing]] = {}
        self.deletes: list[tuple[JsonObject, str]] = []
        self.assumed: list[tuple[JsonObject, str, Json]] = []
        self.exacts: list[tuple[JsonObject, str]] = []
        self.nulls = False
        self.encoded: dict[tuple[str, str], Raw] = {}
        self.shelf = memory.shelf(surroundings(ctx, self.sender))
        self.values: dict[tuple[Convert, str], Json] = {}
        self.identities: dict[tuple[Convert, str], tuple[str, str]] = {}
        self.bundle: JsonObject = {"resourceType": "Bundle", "type": "message"}
        self.educations: dict[tuple[str, str], JsonObject] = {}
        self.lines: Sequence[list[str]] = ()
        self.shared: Shared | None = None
        self.occurrences: dict[int, int] = {}
        self.trace: list[Touch] | None = [] if tracing else None
        self.at_hand = (
            ctx, ctx.repetition, ctx.component, self.shelf, self.values, self.identities,
        )  # fmt: skip

    # -- resources -------------------------------------------------------------------------

    def opened(self, group: Group, kind: str, key: tuple[str, ...], merge: bool) -> JsonObject:  # noqa: FBT001 - written by the generator alone
        """The resource of this key, open in this group.

        A key that this message used before gives the same resource where the map says `merge`,
        else the key with its number behind.
        """
        found = resource_id(self.namespace, kind, *key)
        seen = (kind, found)
        if seen in self.resources:
            if merge:
                self.encoded.pop(seen, None)
                group.put(kind, self.resources[seen])
                return self.resources[seen]
            count = self.keys[seen] = self.keys.get(seen, 1) + 1
            found = resource_id(self.namespace, kind, *key, f"#{count}")
            seen = (kind, found)
        made: JsonObject = {"resourceType": kind, "id": found}
        self.resources[seen] = group.resources[kind] = made
        group.nearest[kind] = (made, {"reference": f"{kind}/{found}"})
        if kind == "Patient":
            self.patients.append(key)
        return made

    def unkeyed(self, fields: list[str]) -> tuple[str, ...]:
        """The key of a segment without identifier: control id and source path."""
        return (*self.fallback, f"{fields[0]}[{self.ctx.occurrence}]")

    def identity(self, text: str, function: Convert) -> tuple[str, str]:
        """System and value of the repetition that names the record, by the function given."""
        known = self.identities.get((function, text))
        if known is None:
            if not text:
                return "", ""
            findings = len(self.ctx.findings)
            first = governing(text, self.ctx)
            met: Any = self.values.get((function, first))
            made = met or self.within(function, first)
            del self.ctx.findings[findings:]  # the row that converts it notes them
            system = value = ""
            if made:
                value = made.get("value", "")
                system = made.get("system", "") or f"|{self.sender}"
            known = self.identities[function, text] = (system, value)
        return known

    def apart(self, number: str, code: str) -> str:
        """The code where the number alone does not tell the order, else nothing."""
        if self.shared is None:
            self.shared = Shared(self.lines, self.ctx.component)
        return code if self.shared.apart(number, code) else ""

    def dosed(self, order: JsonObject) -> Dosing:
        """What was said so far of dose, time and route of a medication order."""
        name = cast("str", order["id"])
        return self.dosing.setdefault(name, (order, Dosing()))[1]

    def near(self, group: Group, kind: str) -> JsonObject | None:
        """The nearest resource of that type: in this group, else in those around it."""
        found = group.nearest.get(kind)
        return found[0] if found else None

    def cached(self, slot: int | str, function: Convert, text: str, *table: object) -> Any:  # noqa: ANN401 - Json of any FHIR type
        """The function's value, remembered where this sender sent the same text before."""
        known = self.shelf.get((slot, text))
        if known is None:
            known = self._remember(slot, text, lambda: function(text, self.ctx, *table))
        elif known[1]:
            for note in known[1]:
                self.ctx.note(*note)
        return known[0]

    def alike(
        self,
        key: tuple[Any, ...],
        rows: Callable[[list[str], "Build", JsonObject], JsonObject],
        fields: list[str],
        resource: JsonObject,
    ) -> tuple[JsonObject, tuple[tuple[str, Note], ...]]:
        """What the rows make of these texts, remembered as encoded elements.

        Encoded, because nothing then can alter them, and because they are written as they are.
        """
        ctx = self.ctx
        findings, suppressed = len(ctx.findings), ctx.suppressed
        deletes = len(self.deletes) + len(self.exacts)
        made = rows(fields, self, resource)
        if suppressed != ctx.suppressed or deletes != len(self.deletes) + len(self.exacts):
            return made, ()
        notes = tuple(
            (_unnumbered(note.where), (note.code, note.text, note.severity))
            for note in ctx.findings[findings:]
        )
        encoded: JsonObject = {
            name: Raw(canonical(value)) if isinstance(value, dict | list) else value
            for name, value in made.items()
        }
        if all(len(text) <= MAX_TEXT for text in key[1:]):
            self.shelf[key] = (encoded, notes)
        return encoded, ()

    def renote(self, notes: tuple[tuple[str, Note], ...]) -> None:
        """The findings of a remembered run, at the places where its texts are now."""
        for at, note in notes:
            self.ctx.at = at
            self.ctx.note(*note)

    def within(self, function: Convert, text: str) -> Any:  # noqa: ANN401 - Json of any FHIR type
        """The function's value, remembered within the message: times and numbers repeat.

        Whoever calls has looked into `values` before.
        """
        ctx = self.ctx
        findings = len(ctx.findings)
        made = function(text, ctx)
        if made is not None and findings == len(ctx.findings):
            self.values[function, text] = made
        return made

    def _remember(self, slot: int | str, text: str, make: Callable[[], Any]) -> tuple[Any, Notes]:
        """Make the value with its findings, and keep both unless the text is prose."""
        ctx = self.ctx
        findings, suppressed, assigners = len(ctx.findings), ctx.suppressed, len(ctx.assigners)
        value = make()
        notes = tuple((note.code, note.text, note.severity) for note in ctx.findings[findings:])
        quiet = suppressed == ctx.suppressed and assigners == len(ctx.assigners)
        if quiet and len(text) <= MAX_TEXT:
            self.shelf[slot, text] = (value, notes)
        return value, notes

    def _whole(self, make: Callable[[], Referred]) -> Referred:
        """What it makes, with the organizations that assigned the numbers in it."""
        ctx = self.ctx
        before, ctx.assigners = ctx.assigners, {}
        reference, resources = make()
        found, ctx.assigners = ctx.assigners, before
        return reference, [*resources, *map(self.kept, found.values())]

    def refer(
        self, slot: int | str, kind: str, function: Convert, text: str, display: Convert | None
    ) -> JsonObject | None:
        """A reference to a person or place: a resource where it has an identifier, else words.

        Resources of one key are one; what the first left open the later ones fill.
        """
        known = self.shelf.get((slot, text))
        if known is None:
            known = self._remember(
                slot, text, lambda: self._whole(lambda: self._person(kind, function, text, display))
            )
        elif known[1]:
            for note in known[1]:
                self.ctx.note(*note)
        return self._referred(known[0])

    def recalled(
        self,
        key: tuple[str, ...],
        make: Callable[[list[str], "Build"], Referred],
        fields: list[str],
    ) -> JsonObject | None:
        """A reference that the function makes of the texts in the key.

        Remembered unless it had something to report.
        """
        known = self.shelf.get(key)
        if known is None:
            ctx = self.ctx
            findings, suppressed = len(ctx.findings), ctx.suppressed
            known = self._whole(lambda: make(fields, self)), ()
            quiet = findings == len(ctx.findings) and suppressed == ctx.suppressed
            if quiet and max(map(len, key)) <= MAX_TEXT:
                self.shelf[key] = known
        return self._referred(known[0])

    def _referred(self, made: Referred) -> JsonObject | None:
        """The reference, its resources in the bundle."""
        reference, resources = made
        held = self.resources
        for seen, resource, entry in resources:
            if seen not in held:
                held[seen] = resource
                self.encoded[seen] = entry
            elif held[seen] is not resource:
                self.keep(resource)
        return {**reference} if reference else None

    def person(self, name: str, text: str) -> JsonObject | None:
        """A reference to the practitioner of a field, for rules: as rows refer to one."""
        kind = DATATYPES[name]
        display = DATATYPES[f"{name.split('.', 1)[0]}.display"].function
        return self.refer(name, kind.gives, kind.function, text, display)

    def referring(self, name: str, text: str) -> Referred:
        """The same as values, for rules that make more of it and have it `recalled`."""
        kind = DATATYPES[name]
        display = DATATYPES[f"{name.split('.', 1)[0]}.display"].function
        return self._person(kind.gives, kind.function, text, display)

    def _person(self, kind: str, function: Convert, text: str, display: Convert | None) -> Referred:
        """The reference, and the resources that it needs in the bundle, as values and encoded."""
        made = function(text, self.ctx)
        label = display(text, self.ctx) if display is not None else None
        reference: JsonObject = {"display": label} if label else {}
        resources: list[Kept] = []
        chain = made if isinstance(made, list) else [made] if made else []
        whole = ""
        for body in reversed(chain):  # a place after the place that holds it
            resource = self.identified(kind, body)
            if resource is None:
                continue
            if whole:
                resource["partOf"] = {"reference": whole}
            whole = f"{kind}/{cast('str', resource['id'])}"
            resources.append(self.kept(resource))
        if whole:
            reference["reference"] = whole
        return reference, resources

    def identified(self, kind: str, body: JsonObject) -> JsonObject | None:
        """The body as a resource whose id comes of its first identifier; None without one."""
        identifiers = cast("list[dict[str, str]]", body.get("identifier"))
        if not identifiers:
            return None
        system = identifiers[0].get("system") or f"|{self.sender}"
        found = resource_id(self.namespace, kind, system, identifiers[0]["value"])
        return {"resourceType": kind, "id": found, **body}

    def kept(self, resource: JsonObject) -> Kept:
        """A resource that nothing alters any more, encoded."""
        seen = (cast("str", resource["resourceType"]), cast("str", resource["id"]))
        return seen, resource, Raw(canonical(self.entry(resource)))

    def kinds(self) -> list[str]:
        """The type of each resource, in their order."""
        return [*map(_KIND, self.resources)]

    def entry(self, resource: JsonObject) -> JsonObject:
        """The Bundle.entry of a resource."""
        reference = cast("str", reference_to(resource)["reference"])
        return {"fullUrl": f"{self.base}/{reference}", "resource": resource}

    def entries(self, references: list[str]) -> list[Json]:
        """The entries of all resources, those that did not change since encoding as encoded.

        Args:
            references: `Patient/abc`, one a resource in their order.
        """
        encoded, base = self.encoded, self.base
        return [
            encoded.get(seen) or {"fullUrl": f"{base}/{reference}", "resource": resource}
            for reference, (seen, resource) in zip(references, self.resources.items(), strict=True)
        ]

    def keep_assigners(self) -> None:
        """The organizations that assigned numbers of this message, each once."""
        for name, resource in self.ctx.assigners.items():
            if ("Organization", name) not in self.resources:
                kept = self.shelf.get(("assigner", name))
                if kept is None:
                    kept = self.shelf["assigner", name] = (self.kept(resource), ())
                seen, self.resources[seen], self.encoded[seen] = kept[0]

    def keep(self, resource: JsonObject) -> None:
        """Put a resource into the bundle; what one of its key left open is filled, not altered."""
        seen = (cast("str", resource["resourceType"]), cast("str", resource["id"]))
        stored = self.resources.get(seen)
        if stored is None:
            self.resources[seen] = resource
        elif stored is not resource and not resource.keys() <= stored.keys():
            self.resources[seen] = {**resource, **stored}
            self.encoded.pop(seen, None)

    def number(self, lines: Sequence[list[str]]) -> None:
        """In the trace build: the occurrence of each segment among those of its name."""
        counts: dict[str, int] = {}
        for fields in lines:
            counts[fields[0]] = counts.get(fields[0], 0) + 1
            self.occurrences[id(fields)] = counts[fields[0]]

    def touch(
        self,
        row: str,
        at: list[str] | int,
        segment: str,
        field: int,
        components: tuple[int, ...],
        target: str,
    ) -> None:
        """In the trace build: this row read this position for that element."""
        if self.trace is not None:
            occurrence = at if isinstance(at, int) else self.occurrences.get(id(at), 0)
            self.trace.append((row, segment, occurrence, field, components, target))

    @staticmethod
    def target(resource: JsonObject, path: str) -> str:
        """`Patient/abc.birthDate`."""
        kind, name = resource.get("resourceType", ""), resource.get("id", "")
        return f"{cast('str', kind)}/{cast('str', name)}.{path}"

    def erase(self, resource: JsonObject, path: str) -> None:
        """The sender sent `""`: the stored element goes, unless this message sets it too."""
        self.deletes.append((resource, path))

    def assume(self, resource: JsonObject, name: str) -> None:
        """The element holds a default or a conclusion: it never overwrites a stored one."""
        self.assumed.append((resource, name, resource[name]))

    # -- positions -------------------------------------------------------------------------

    def comp(self, text: str, component: int, subcomponent: int = 0) -> str:
        """One component of the first repetition, raw; empty where there is none."""
        ctx = self.ctx
        if ctx.repetition in text:
            text = text.split(ctx.repetition, 1)[0]
        if component:
            parts = text.split(ctx.component)
            text = parts[component - 1] if component <= len(parts) else ""
        if subcomponent:
            parts = text.split(ctx.subcomponent)
            text = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        return text

    def first(self, text: str) -> str:
        """The first valued repetition of a field that fills a single element."""
        if self.ctx.repetition not in text:
            return text
        valued = [part for part in text.split(self.ctx.repetition) if part]
        if len(valued) > 1:
            self.ctx.note(
                "repetition-unread", "a field repeats whose element does not: the first was taken"
            )
        return valued[0] if valued else ""


def reference_to(resource: JsonObject) -> JsonObject:
    """A relative literal reference, https://hl7.org/fhir/R4/references.html#literal."""
    kind, name = cast("str", resource["resourceType"]), cast("str", resource["id"])
    return {"reference": f"{kind}/{name}"}


def _unnumbered(where: str) -> str:
    """`OBX-5` of `OBX[3]-5`."""
    name, bracket, rest = where.partition("[")
    return name + rest.partition("]")[2] if bracket else where


def append(target: JsonObject, name: str, value: Json) -> None:
    """Append to the array of that name, made when absent."""
    array = target.get(name)
    if array is None:
        target[name] = [value]
    elif isinstance(array, Raw):  # what a run of fields made before is kept as its bytes
        target[name] = [*json.decode(array, type=list[Raw]), cast("Raw", value)]
    else:
        cast("list[Json]", array).append(value)


def element(target: JsonObject, name: str, index: int) -> JsonObject:
    """The element of the array at that index, or the last there is, made when there is none.

    A copy in its place: the element may be a remembered value, which is never altered.
    """
    array = cast("list[JsonObject]", target.setdefault(name, []))
    if not array:
        array.append({})
    at = min(index, len(array) - 1)
    array[at] = {**array[at]}
    return array[at]
