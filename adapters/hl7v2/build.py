"""The bundle under construction: resources by their keys, references, and the trace."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, TypeAlias, cast

from msgspec import Raw

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.identifiers import governing, is_placeholder
from adapters.hl7v2.datatypes.registry import DATATYPES, Convert
from adapters.hl7v2.dosing import Dosing
from adapters.hl7v2.elements import name_of
from adapters.hl7v2.enclosed import Enclosed
from adapters.hl7v2.group import Group
from adapters.hl7v2.kinship import Kin
from adapters.hl7v2.memory import MAX_TEXT, Memory
from adapters.hl7v2.owners import owned
from adapters.hl7v2.reading import Reading
from adapters.hl7v2.requisitions import Shared
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import canonical
from bridge.core.record.identity import resource_id

__all__ = ["Build", "Kept", "Referred", "Touch"]

Kept: TypeAlias = tuple[str, JsonObject, Raw]
"""`Practitioner/abc`, the resource, and its entry encoded."""
Referred: TypeAlias = tuple[JsonObject, list[Kept]]
"""A reference, empty where there is none, and the resources that it needs in the bundle."""
_KIND: Final = itemgetter("resourceType")
Touch: TypeAlias = tuple[str, str, int, int, tuple[int, ...], str]
"""Row, segment, occurrence, field, components read (empty is all), target path."""


class Build(Reading):
    """Everything that the generated functions write into; one instance a message."""

    __slots__ = (
        "base", "bundle", "code", "control", "documents", "dosing", "educations", "enclosed",
        "entries", "fallback", "header", "keys", "kin", "lines", "moved", "namespace",
        "occurrences", "patients", "resources", "sender", "shared", "trace", "trigger",
    )  # fmt: skip

    resources: dict[str, JsonObject]
    """By reference, `Patient/abc`, in the order of the bundle."""
    entries: dict[str, JsonObject | Raw]
    """The Bundle.entry of each, in the same order; of what nothing alters any more, its bytes."""

    def __init__(
        self,
        ctx: Context,
        *,
        header: list[str],
        content: str,
        memory: Memory,
        nulls: bool,
        tracing: bool,
    ) -> None:
        """Start with what MSH says.

        Args:
            ctx: delimiters, sender, findings.
            header: MSH as fields, MSH-1 in place.
            content: hex SHA-256 of the segments behind MSH: what has no identifier is of this
                content under this control id, because senders use control ids again. A resend
                with a new time in MSH-7 is the same.
            memory: of the sender's engine.
            nulls: whether `""` stands anywhere in the message.
            tracing: also keep which row read which position.
        """
        self.sender = f"{header[3]}|{header[4]}"
        super().__init__(ctx, memory, self.sender, nulls=nulls)
        self.namespace, self.header = ctx.namespace, header
        self.base = _base(ctx.namespace)
        self.code, self.trigger = self.comp(header[9], 1), self.comp(header[9], 2)
        self.control = ctx.text(header[10]).strip()
        self.fallback = ("", self.sender, self.control, content)
        self.resources, self.entries = {}, {}
        self.patients: list[tuple[str, ...]] = []
        self.keys: dict[str, int] = {}
        self.kin = Kin()
        self.moved: list[JsonObject] = []
        self.enclosed: list[Enclosed] = []
        self.dosing: dict[str, tuple[JsonObject, Dosing]] = {}
        self.bundle: JsonObject = {"resourceType": "Bundle", "type": "message"}
        self.educations: dict[tuple[str, str], JsonObject] = {}
        self.lines: Sequence[list[str]] = ()
        self.shared: Shared | None = None
        self.occurrences: dict[int, int] = {}
        self.trace: list[Touch] | None = [] if tracing else None
        self.documents: list[JsonObject] = []

    # -- resources -------------------------------------------------------------------------

    def opened(self, group: Group, kind: str, key: tuple[str, ...], merge: bool) -> JsonObject:  # noqa: FBT001 - written by the generator alone
        """The resource of this key, open in this group.

        A key that this message used before gives the same resource where the map says `merge`,
        else the key with its number behind.
        """
        key = owned(key, kind, group, namespace=self.namespace, patients=self.patients)
        found = resource_id(self.namespace, kind, *key)
        reference = f"{kind}/{found}"
        if reference in self.resources:
            if merge:
                made = self.resources[reference]
                if isinstance(self.entries[reference], Raw):
                    self._enter(reference, made)
                group.put(kind, made)
                return made
            count = self.keys[reference] = self.keys.get(reference, 1) + 1
            found = resource_id(self.namespace, kind, *key, f"#{count}")
            reference = f"{kind}/{found}"
        made = {"resourceType": kind, "id": found}
        self.resources[reference] = group.resources[kind] = made
        self.entries[reference] = {"fullUrl": f"{self.base}/{reference}", "resource": made}
        group.nearest[kind] = (made, {"reference": reference})
        if kind == "Patient":
            self.patients.append(key)
        return made

    def unkeyed(self, fields: list[str]) -> tuple[str, ...]:
        """The key of a segment without identifier: its message and its place there."""
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
                if is_placeholder(value):
                    return "", ""
                system = made.get("system", "") or f"|{self.sender}"
            known = self.identities[function, text] = (system, value)
        return known

    def named(self, text: str, function: Convert, fields: list[str]) -> tuple[str, ...]:
        """The key of what the number names; without one its message and its place there."""
        key = self.identity(text, function)
        return key if key[-1] else self.unkeyed(fields)

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

    def kinds(self) -> list[str]:
        """The type of each resource, in their order."""
        return cast("list[str]", [*map(_KIND, self.resources.values())])

    def keep(self, resource: JsonObject) -> None:
        """Put a resource into the bundle; what one of its key left open is filled, not altered."""
        reference = name_of(resource)
        stored = self.resources.get(reference)
        if stored is None:
            self._enter(reference, resource)
        elif stored is not resource and not resource.keys() <= stored.keys():
            self._enter(reference, {**resource, **stored})

    def _enter(self, reference: str, resource: JsonObject) -> None:
        """The resource of that reference is this one, and may yet be altered."""
        self.resources[reference] = resource
        self.entries[reference] = {"fullUrl": f"{self.base}/{reference}", "resource": resource}

    def entry(self, resource: JsonObject) -> JsonObject:
        """The Bundle.entry of a resource."""
        return {"fullUrl": f"{self.base}/{name_of(resource)}", "resource": resource}

    # -- people and places, which are resources where they have an identifier -----------------

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
        known = self.shelf[slot].get(text)
        if known is None:
            known = self.remembered(
                slot, text, lambda: self._whole(lambda: self._person(kind, function, text, display))
            )
        return self._referred(known)

    def recalled(
        self,
        key: tuple[str, ...],
        make: Callable[[list[str], "Build"], Referred],
        fields: list[str],
    ) -> JsonObject | None:
        """A reference that the function makes of the texts in the key, whose first is its name.

        Remembered unless it had something to report.
        """
        shelf = self.shelf[key[0]]
        known = shelf.get(key)
        if known is None:
            ctx = self.ctx
            findings, suppressed = len(ctx.findings), ctx.suppressed
            known = self._whole(lambda: make(fields, self))
            quiet = findings == len(ctx.findings) and suppressed == ctx.suppressed
            if quiet and max(map(len, key)) <= MAX_TEXT:
                shelf[key] = known
                self.memory.grown(1)
        return self._referred(known)

    def _referred(self, made: Referred) -> JsonObject | None:
        """The reference, its resources in the bundle."""
        reference, resources = made
        held = self.resources
        for name, resource, entry in resources:
            if name not in held:
                held[name] = resource
                self.entries[name] = entry
            elif held[name] is not resource:
                self.keep(resource)
        return {**reference} if reference else None

    def person(self, name: str, text: str) -> JsonObject | None:
        """A reference to the person or place of a field, for rules: as rows refer to one."""
        kind = DATATYPES[name]
        display = DATATYPES[f"{name.split('.', 1)[0]}.display"].function
        return self.refer(name, kind.gives.removesuffix("[]"), kind.function, text, display)

    def referring(self, name: str, text: str) -> Referred:
        """The same as values, for rules that make more of it and have it `recalled`."""
        kind = DATATYPES[name]
        display = DATATYPES[f"{name.split('.', 1)[0]}.display"].function
        return self._person(kind.gives.removesuffix("[]"), kind.function, text, display)

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
            kept = self.kept(resource)
            whole = kept[0]
            resources.append(kept)
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
        name = name_of(resource)
        return name, resource, Raw(canonical(self.entry(resource)))

    def keep_assigners(self) -> None:
        """The organizations that assigned numbers of this message, each once."""
        shelf = self.shelf["assigner"]
        for name, resource in self.ctx.assigners.items():
            if f"Organization/{name}" not in self.resources:
                kept = shelf.get(name)
                if kept is None:
                    kept = shelf[name] = self.kept(resource)
                    self.memory.grown(1)
                seen, self.resources[seen], self.entries[seen] = kept

    # -- the trace -----------------------------------------------------------------------------

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


@lru_cache(maxsize=256)  # one a sender
def _base(namespace: str) -> str:
    """Where fullUrl begins: an http(s) name space, so that relative references resolve in it."""
    if namespace.startswith(("http://", "https://")):
        return namespace.rstrip("/")
    return "https://fhir-anchor.invalid/fhir"
