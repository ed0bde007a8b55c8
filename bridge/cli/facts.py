"""What a bundle says, as facts that two sets of rules can be compared by."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from bridge.core.errors import BridgeError
from bridge.core.record import canon
from bridge.core.record.bundle import CanonicalBundle

__all__ = ["Converting", "changed_paths", "outcome"]

_INDEX = re.compile(r"\[\d+\]")


class Converting(Protocol):
    """Rules."""

    def convert(self, raw: bytes) -> CanonicalBundle:
        """The bundle. Raises BridgeError."""


def outcome(rules: Converting, raw: bytes) -> dict[str, str]:
    """The facts of the bundle by their places, or the refusal as the only fact."""
    try:
        bundle: Any = canon.parse(rules.convert(raw).canonical)
    except BridgeError as error:
        return {"refused": str(error)}
    return {f"{name}{path}": value for name, path, value in _leaves(bundle)}


def changed_paths(old: Converting, new: Converting, raw: bytes) -> frozenset[str]:
    """Which elements come out otherwise, such as `+ Patient.extension[].url`: never a value.

    `-` is gone, `+` is new, `~` has another value.
    """
    before, after = _placed(old, raw), _placed(new, raw)
    return frozenset(
        f"{'+' if key not in before else '-' if key not in after else '~'} {_place(key)}"
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    )


def _placed(rules: Converting, raw: bytes) -> dict[tuple[str, str], str]:
    try:
        bundle: Any = canon.parse(rules.convert(raw).canonical)
    except BridgeError as error:
        return {("refused", f" {error.code} ({error.where})"): ""}
    return {(name, path): value for name, path, value in _leaves(bundle)}


def _place(key: tuple[str, str]) -> str:
    """Type and path; the identifier behind the type is of a person."""
    return f"{key[0].partition('(')[0].partition('#')[0]}{_INDEX.sub('[]', key[1])}"


def _leaves(bundle: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """`Patient(17)`, `.name[0].family` and its value, where 17 is the identifier of the patient.

    Ids depend on the sender's name space, so they say nothing here; so does Provenance, which
    names the mapping itself.
    """
    counts: Counter[str] = Counter()
    resources = [entry["resource"] for entry in bundle["entry"]]
    names: dict[str, str] = {}
    for body in resources:
        name = _name(body)
        counts[name] += 1
        again = f"#{counts[name]}" if counts[name] > 1 else ""
        names[f"{body['resourceType']}/{body['id']}"] = name + again
    for body in resources:
        if body["resourceType"] != "Provenance":
            name = names[f"{body['resourceType']}/{body['id']}"]
            inner = {key: held for key, held in body.items() if key != "id"}
            yield from ((name, path, value) for path, value in _under("", inner, names))


def _name(body: Mapping[str, Any]) -> str:
    """Type and first identifier, where it has one."""
    held = body.get("identifier", [])
    first = held[0] if isinstance(held, list) and held else held or {}
    return f"{body['resourceType']}({first['value']})" if "value" in first else body["resourceType"]


def _under(path: str, value: Any, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for key, held in value.items():
            if key != "resourceType":
                yield from _under(f"{path}.{key}", held, names)
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _under(f"{path}[{index}]", held, names)
    elif isinstance(value, str):
        yield path, names.get(value, value)
    else:
        yield path, json.dumps(value, default=lambda raw: bytes(raw).decode())
