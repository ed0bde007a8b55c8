"""What the fields of one message say: positions, values that were made before, deletes.

The resources that they fill are `build`'s.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from msgspec import Raw

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.registry import Convert
from adapters.hl7v2.memory import MAX_TEXT, NOTED, Memory, Note, surroundings
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical

__all__ = ["Notes", "Reading"]

Notes: TypeAlias = tuple[Note, ...]
_QUIET: Final[Notes] = ()


class Reading:
    """The half of a build that knows texts; the generated functions call it by its methods."""

    __slots__ = (
        "assumed", "at_hand", "ctx", "deletes", "exacts", "identities", "memory", "nulls", "shelf",
        "values",
    )  # fmt: skip

    def __init__(self, ctx: Context, memory: Memory, sender: str, *, nulls: bool) -> None:
        """Nothing read yet.

        Args:
            ctx: delimiters, sender, findings.
            memory: of the sender's engine.
            sender: MSH-3 and MSH-4.
            nulls: whether `""` stands anywhere in the message.
        """
        self.ctx, self.memory, self.nulls = ctx, memory, nulls
        self.deletes: list[tuple[JsonObject, str]] = []
        self.assumed: list[tuple[JsonObject, str, Json]] = []
        self.exacts: list[tuple[JsonObject, str]] = []
        self.shelf = memory.shelf(surroundings(ctx, sender))
        self.values: dict[tuple[Convert, str], Json] = {}
        self.identities: dict[tuple[Convert, str], tuple[str, str]] = {}
        self.at_hand = (
            ctx, ctx.repetition, ctx.component, self.shelf, self.values, self.identities, nulls,
        )  # fmt: skip

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

    # -- values that were made before --------------------------------------------------------

    def cached(self, slot: int | str, function: Convert, text: str, *table: object) -> Any:  # noqa: ANN401 - Json of any FHIR type
        """The function's value, remembered where this sender sent the same text before.

        Whoever is in haste looks into the shelf before.
        """
        known = self.shelf[slot].get(text)
        if known is not None:
            return known
        return self.remembered(slot, text, lambda: function(text, self.ctx, *table))

    def remembered(self, slot: int | str, text: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - as made
        """The value, with its findings and assigners as they were noted before, else made and kept.

        Prose is not kept. A value that brings something stands apart: to be noted each time.
        """
        ctx = self.ctx
        noted = self.shelf[NOTED].get((slot, text))
        if noted is not None:
            for note in noted[1]:
                ctx.note(*note)
            ctx.assigners |= noted[2]
            return noted[0]
        findings, suppressed = len(ctx.findings), ctx.suppressed
        before, ctx.assigners = ctx.assigners, {}
        value = make()
        assigners, ctx.assigners = ctx.assigners, {**before, **ctx.assigners}
        if len(text) <= MAX_TEXT and suppressed == ctx.suppressed:
            notes = tuple((note.code, note.text, note.severity) for note in ctx.findings[findings:])
            if notes or assigners or value is None:
                self.shelf[NOTED][slot, text] = (value, notes, assigners)
            else:
                self.shelf[slot][text] = value
            self.memory.grown(1)
        return value

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

    def alike(
        self,
        slot: int,
        key: tuple[str, ...],
        rows: Callable[[list[str], "Reading", JsonObject], JsonObject],
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
        if all(len(text) <= MAX_TEXT for text in key):
            self.shelf[slot][key] = (encoded, notes)
            self.memory.grown(1)
        return encoded, ()

    def renote(self, notes: tuple[tuple[str, Note], ...]) -> None:
        """The findings of a remembered run, at the places where its texts are now."""
        for at, note in notes:
            self.ctx.at = at
            self.ctx.note(*note)

    # -- what the message says beside its snapshot -------------------------------------------

    def erase(self, resource: JsonObject, path: str) -> None:
        """The sender sent `""`: the stored element goes, unless this message sets it too."""
        self.deletes.append((resource, path))

    def assume(self, resource: JsonObject, name: str) -> None:
        """The element holds a default or a conclusion: it never overwrites a stored one."""
        self.assumed.append((resource, name, resource[name]))


def _unnumbered(where: str) -> str:
    """`OBX-5` of `OBX[3]-5`."""
    name, bracket, rest = where.partition("[")
    return name + rest.partition("]")[2] if bracket else where
