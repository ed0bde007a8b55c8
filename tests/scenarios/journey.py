"""Messages of an invented hospital, and what stands after them, for tests that read as a story."""

import json
from typing import Any, cast

from adapters.hl7v2.dialect import Hl7v2
from bridge.core.record.bundle import Apply, JsonObject
from bridge.core.record.canon import canonical, parse
from bridge.core.record.merge import ResourceRef, apply_bundle, moved_in, references_touched

__all__ = ["Hospital", "Resource"]

Resource = dict[str, Any]


class Hospital:
    """Sends one sender's messages; the state is what the projection makes of them, unstored."""

    def __init__(self, dialect: Hl7v2) -> None:
        """Empty."""
        self.dialect = dialect
        self.states: dict[ResourceRef, JsonObject | None] = {}
        self.history: list[ResourceRef] = []
        """One reference a version, in order."""
        self.sent = 0
        self.lanes: tuple[str, ...] = ()
        """Of the last message."""

    def send(self, kind: str, *segments: str) -> None:
        """One message of that type, `ADT^A01`, with these segments behind MSH."""
        self.sent += 1
        head = f"MSH|^~\\&|EMR|STMARY|HUB|HUB|20240105080000+0100||{kind}|M{self.sent}|P|2.5.1"
        raw = "".join(f"{line}\r" for line in (head, *segments)).encode()
        made = self.dialect.convert(raw, sender="")
        self.lanes = made.lanes
        bundle = cast("JsonObject", parse(made.canonical))
        current = {ref: self.states.get(ref) for ref in references_touched(bundle, Apply.MERGE)}
        if moved_in(bundle, Apply.MERGE):
            current |= self.states
        for change in apply_bundle(bundle, Apply.MERGE, current):
            self.states[change.ref] = change.body
            self.history.append(change.ref)

    def all(self, kind: str) -> list[Resource]:
        """The present resources of a type, in the order in which they came."""
        return [
            json.loads(canonical(body))
            for ref, body in self.states.items()
            if ref.type == kind and body is not None
        ]

    def one(self, kind: str) -> Resource:
        """The only resource of that type."""
        (found,) = self.all(kind)
        return found

    def patient(self, mrn: str) -> Resource:
        """The patient whose first identifier has this value."""
        (found,) = [one for one in self.all("Patient") if one["identifier"][0]["value"] == mrn]
        return found

    def versions(self, kind: str) -> int:
        """How many versions were made of resources of that type."""
        return sum(ref.type == kind for ref in self.history)
