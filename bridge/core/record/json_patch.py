"""JSON Patch of a resource: operations at pointers, all of them or none; untouched digits stay.

Source: RFC 6902, RFC 6901, and https://hl7.org/fhir/R4/http.html#patch.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Final, NoReturn, TypeAlias, cast

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import MAX_DEPTH, canonical, parse

__all__ = ["patched"]

MAX_OPERATIONS: Final = 1_000
"""Of one patch: a form that is filled anew changes some dozens of elements."""
MAX_COPIED: Final = 4_194_304
"""Bytes that `copy` may add: a copy into itself doubles, and a thousand of them never end."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}").fullmatch
_Place: TypeAlias = tuple[Json, str]
"""The object or list, and the name or index in it."""


def patched(body: bytes, patch: bytes) -> bytes:
    """The canonical resource that the patch makes of this one.

    An element that is left without content is dropped, for FHIR knows no empty one.

    Raises:
        BridgeError: `patch-form` for what is no patch, `patch-path` for a place that is not there,
            `patch-test` for a test that does not hold, `json-...`; each names the operation.
    """
    document, operations = parse(body), parse(patch)
    if not isinstance(operations, list) or len(operations) > MAX_OPERATIONS:
        _refuse("patch-form", f"a patch is a list of at most {MAX_OPERATIONS} operations", "patch")
    room = MAX_COPIED
    for index, one in enumerate(operations):
        where = f"patch[{index}]"
        operation = cast("JsonObject", one if isinstance(one, dict) else {})
        kind = str(operation.get("op"))
        apply = _OPERATIONS.get(kind)
        needed = {"value"} if kind in {"add", "replace", "test"} else set()
        if apply is None or not needed <= operation.keys():
            _refuse("patch-form", "op is add, remove, replace, move, copy or test", where)
        room -= apply(document, operation, where)
        if room < 0:
            _refuse("patch-form", f"copies add more than {MAX_COPIED} bytes", where)
    return canonical(_without_empty(document))


def _refuse(code: str, what: str, where: str) -> NoReturn:
    raise BridgeError(
        code,
        Fault.SENDER,
        what=what,
        where=where,
        do="read the resource as it is now and send a patch that fits it",
    )


def _place(document: Json, pointer: Json, where: str) -> _Place:
    """Where a JSON Pointer leads; its last step need not be there."""
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        _refuse("patch-form", "path and from are JSON Pointers that begin with /", where)
    *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
    if len(steps) > MAX_DEPTH:  # else each operation could nest further than the one before
        _refuse("patch-path", f"a path has at most {MAX_DEPTH} steps", where)
    node = document
    for step in steps:
        node = _found((node, step), where)
    return node, last


def _found(place: _Place, where: str) -> Json:
    holder, name = place
    if isinstance(holder, dict) and name in holder:
        return holder[name]
    if isinstance(holder, list) and _INDEX(name) and int(name) < len(holder):
        return holder[int(name)]
    _refuse("patch-path", "there is nothing at this path", where)


def _put(place: _Place, value: Json, where: str) -> None:
    holder, name = place
    if isinstance(holder, dict):
        holder[name] = value
    elif isinstance(holder, list) and name == "-":
        holder.append(value)
    elif isinstance(holder, list) and _INDEX(name) and int(name) <= len(holder):
        holder.insert(int(name), value)
    else:
        _refuse("patch-path", "nothing can be added at this path", where)


def _taken(place: _Place, where: str) -> Json:
    value = _found(place, where)
    holder, name = place
    if isinstance(holder, dict):
        del holder[name]
    elif isinstance(holder, list):
        del holder[int(name)]
    return value


def _add(document: Json, operation: JsonObject, where: str) -> int:
    _put(_place(document, operation.get("path"), where), operation["value"], where)
    return 0


def _remove(document: Json, operation: JsonObject, where: str) -> int:
    _taken(_place(document, operation.get("path"), where), where)
    return 0


def _replace(document: Json, operation: JsonObject, where: str) -> int:
    place = _place(document, operation.get("path"), where)
    _taken(place, where)
    _put(place, operation["value"], where)
    return 0


def _move(document: Json, operation: JsonObject, where: str) -> int:
    value = _taken(_place(document, operation.get("from"), where), where)
    _put(_place(document, operation.get("path"), where), value, where)
    return 0


def _copy(document: Json, operation: JsonObject, where: str) -> int:
    value = _found(_place(document, operation.get("from"), where), where)
    size = len(canonical(value))
    if size <= MAX_COPIED:
        _put(_place(document, operation.get("path"), where), deepcopy(value), where)
    return size


def _test(document: Json, operation: JsonObject, where: str) -> int:
    found = _found(_place(document, operation.get("path"), where), where)
    if canonical(found) != canonical(operation["value"]):
        _refuse("patch-test", "the value is another than the test expects", where)
    return 0


_OPERATIONS: Mapping[str, Callable[[Json, JsonObject, str], int]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _without_empty(value: Json) -> Json:
    if isinstance(value, dict):
        kept = {name: _without_empty(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [one for item in value if (one := _without_empty(item)) not in ({}, [])]
    return value
