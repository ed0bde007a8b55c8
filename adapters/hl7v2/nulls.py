"""What `""` in a part of a field deletes: HL7 v2.5.1 ch. 2.5.3, in a component or a repetition."""

import re

from adapters.hl7v2.build import Build
from adapters.hl7v2.syntax import Delimiters
from bridge.core.record.bundle import JsonObject

__all__ = ["held", "nulled", "unpad"]


def unpad(lines: list[list[str]], signs: Delimiters) -> None:
    """A `""` with spaces around it is one without: the spaces of a fixed width say nothing.

    Read as a value, the time of a discharge that is none would end the visit.
    """
    ends = re.escape(signs.component + signs.repetition)
    padded = re.compile(f'(?<![^{ends}]) *"" *(?![^{ends}])')
    for fields in lines[1:]:
        for at, text in enumerate(fields):
            if '""' in text and " " in text:
                fields[at] = padded.sub('""', text)


def held(element: JsonObject, name: str) -> int:
    """How many values the element has before a field with `""` in a part of it is read."""
    values = element.get(name)
    return len(values) if isinstance(values, list) else int(values is not None)


def nulled(
    build: Build, resource: JsonObject, paths: tuple[str, str], text: str, *, more: bool
) -> None:
    """The sender deleted a part of the field.

    Args:
        build: of the message.
        resource: that the field fills.
        paths: of what the whole field deletes, and the element's own name where it is one.
        text: the field.
        more: whether a value was left of it. It is said exactly then: no part of a stored one is
            kept in its place. Where none is left and the first component is deleted, all of it
            is; a lesser part alone cannot be told apart, so nothing changes.
    """
    path, name = paths
    ctx = build.ctx
    parts = [one.split(ctx.component) for one in text.split(ctx.repetition)]
    if more:
        if name and any('""' in one for one in parts):
            build.exacts.append((resource, name))
    elif any(one[0] == '""' for one in parts):
        build.erase(resource, path)
    else:
        ctx.note("delete-partial", "a part of a value was deleted, and nothing else said")
