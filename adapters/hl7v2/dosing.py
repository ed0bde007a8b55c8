"""Dosage instructions: dose, times and routes of one order, which HL7 spreads over three segments.

RXO or RXE says how much, each TQ1 when, each RXR by which way (HL7 v2.5.1 ch. 4.5.4, 4.14.2). A
Dosage says all three (https://hl7.org/fhir/R4/dosage.html), so it is written at the end.
"""

from dataclasses import dataclass, field

from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Dosing", "instruct"]


@dataclass(slots=True, kw_only=True)
class Dosing:
    """What the segments of one order said so far."""

    base: JsonObject = field(default_factory=dict)
    """Dose, rate, limit and text of RXO, then of RXE, which is the more exact of the two."""
    times: list[JsonObject] = field(default_factory=list)
    """A part of a Dosage for each TQ1."""
    routes: list[JsonObject] = field(default_factory=list)
    """A part of a Dosage for each RXR: alternatives of each other."""
    encoded: bool = False
    """RXE stood before: the next TQ1 and RXR are its own, and replace those of RXO."""
    old: bool = False
    """The times are of ORC-7 or RXE-1, fields that TQ1 replaces."""
    fresh: set[str] = field(default_factory=set)
    """Lists that were begun again behind RXE."""

    def time(self, part: JsonObject) -> None:
        """One more TQ1."""
        if self.old:
            self.times.clear()
            self.old = False
        self._add("times", self.times, part)

    def old_time(self, part: JsonObject) -> None:
        """One more repetition of ORC-7 or RXE-1: it counts where there is no TQ1."""
        if (self.old or not self.times) and not any(_repeats(part, one) for one in self.times):
            self.old = True
            self._add("times", self.times, part)

    def route(self, part: JsonObject) -> None:
        """One more RXR."""
        self._add("routes", self.routes, part)

    def _add(self, name: str, parts: list[JsonObject], part: JsonObject) -> None:
        """The first behind RXE drops those before it."""
        if self.encoded and name not in self.fresh:
            parts.clear()
            self.fresh.add(name)
        parts.append(part)


def _repeats(part: Json, other: Json) -> bool:
    """Whether it says nothing that the other does not say: RXE-1 is often a shorter ORC-7."""
    if isinstance(part, dict) and isinstance(other, dict):
        return all(name in other and _repeats(part[name], other[name]) for name in part)
    return part == other


def instruct(order: JsonObject, dosing: Dosing) -> None:
    """`dosageInstruction` of the order: one for each time and each alternative route."""
    instructions: list[Json] = []
    for number, time in enumerate(dosing.times or [{}], 1):
        for route in dosing.routes or [{}]:
            made = _joined(dosing.base, time, route)
            if made and len(dosing.times) > 1:
                made["sequence"] = number
            if made:
                instructions.append(made)
    if instructions:
        order["dosageInstruction"] = instructions


def _joined(*parts: JsonObject) -> JsonObject:
    """One Dosage; texts and further instructions of the parts stand behind each other."""
    whole: JsonObject = {}
    for part in parts:
        for name, value in part.items():
            held = whole.get(name)
            if (
                name == "additionalInstruction"
                and isinstance(held, list)
                and isinstance(value, list)
            ):
                whole[name] = [*held, *(one for one in value if one not in held)]
            elif name == "text" and isinstance(held, str) and isinstance(value, str):
                whole[name] = held if value in held else f"{held}; {value}"
            elif name not in whole:
                whole[name] = value
    return whole
