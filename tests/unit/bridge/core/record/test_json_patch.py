"""JSON Patch of a resource: each operation, what it may not reach, and what it costs at most."""

import json
from typing import Any

import pytest

from bridge.core.errors import BridgeError
from bridge.core.record.json_patch import MAX_COPIED, MAX_OPERATIONS, patched

BODY = (
    b'{"active":true,"id":"a","name":[{"family":"Ann","given":["B","C"]}],'
    b'"resourceType":"Patient","multipleBirthInteger":2,"a/b":"slash","m~n":"tilde"}'
)


def _patch(*operations: object) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(patched(BODY, json.dumps(operations).encode()))
    return made


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        ({"op": "add", "path": "/gender", "value": "male"}, "gender", "male"),
        ({"op": "add", "path": "/active", "value": False}, "active", False),
        (
            {"op": "add", "path": "/name/0/given/1", "value": "X"},
            "name",
            [{"family": "Ann", "given": ["B", "X", "C"]}],
        ),
        (
            {"op": "add", "path": "/name/0/given/-", "value": "X"},
            "name",
            [{"family": "Ann", "given": ["B", "C", "X"]}],
        ),
        ({"op": "remove", "path": "/active"}, "active", None),
        (
            {"op": "remove", "path": "/name/0/given/0"},
            "name",
            [{"family": "Ann", "given": ["C"]}],
        ),
        ({"op": "remove", "path": "/name/0"}, "name", None),
        ({"op": "replace", "path": "/name/0/family", "value": "Bo"}, "name", None),
        ({"op": "move", "from": "/name/0/family", "path": "/language"}, "language", "Ann"),
        ({"op": "copy", "from": "/name/0/given", "path": "/list"}, "list", ["B", "C"]),
        ({"op": "test", "path": "/multipleBirthInteger", "value": 2}, "active", True),
        ({"op": "replace", "path": "/a~1b", "value": "x"}, "a/b", "x"),
        ({"op": "replace", "path": "/m~0n", "value": "x"}, "m~n", "x"),
    ],
    ids=lambda value: value.get("op") if isinstance(value, dict) else "",
)
def test_operation_does_what_the_standard_says(
    operation: dict[str, Any], path: str, expected: object
) -> None:
    """RFC 6902 section 4; a list that is left empty is gone."""
    made = _patch(operation)

    if operation["op"] == "replace" and path == "name":
        expected = [{"family": "Bo", "given": ["B", "C"]}]
    assert made.get(path) == expected


def test_digits_that_are_not_patched_stay() -> None:
    """0.40 is not 0.4, in what is patched and in what is put in."""
    made = patched(b'{"a":0.40}', b'[{"op":"add","path":"/b","value":1.50}]')

    assert made == b'{"a":0.40,"b":1.50}'


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "remove", "path": "/absent"}, "patch-path"),
        ({"op": "replace", "path": "/absent", "value": 1}, "patch-path"),
        ({"op": "remove", "path": "/name/1"}, "patch-path"),
        ({"op": "remove", "path": "/name/-"}, "patch-path"),
        ({"op": "remove", "path": "/name/00"}, "patch-path"),
        ({"op": "add", "path": "/name/2", "value": 1}, "patch-path"),
        ({"op": "add", "path": "/active/x", "value": 1}, "patch-path"),
        ({"op": "move", "from": "/name", "path": "/name/0"}, "patch-path"),
        ({"op": "add", "path": "/a" * 70, "value": 1}, "patch-path"),
        ({"op": "test", "path": "/active", "value": False}, "patch-test"),
        ({"op": "merge", "path": "/active", "value": False}, "patch-form"),
        ({"op": "add", "path": "active", "value": False}, "patch-form"),
        ({"op": "add", "path": "/active"}, "patch-form"),
        ({"op": "add", "value": 1}, "patch-form"),
        ({"op": ["add"]}, "patch-form"),
        ("add", "patch-form"),
    ],
)
def test_operation_that_cannot_be_is_named(operation: object, code: str) -> None:
    """The place of the operation, never a value."""
    with pytest.raises(BridgeError) as refused:
        _patch({"op": "test", "path": "/active", "value": True}, operation)

    assert (refused.value.code, refused.value.where) == (code, "patch[1]")


@pytest.mark.parametrize("patch", [b"{}", b'{"op":"add"}', b"[", b'"x"'])
def test_what_is_no_list_of_operations_is_refused(patch: bytes) -> None:
    """A merge patch is none, nor is broken JSON."""
    with pytest.raises(BridgeError):
        patched(BODY, patch)


def test_patch_is_bounded() -> None:
    """In operations, and in what copies of copies add."""
    copy = {"op": "copy", "from": "/name", "path": "/name/-"}
    many = [{"op": "test", "path": "/active", "value": True}] * (MAX_OPERATIONS + 1)

    with pytest.raises(BridgeError, match=f"at most {MAX_OPERATIONS} operations"):
        _patch(*many)
    with pytest.raises(BridgeError, match=f"more than {MAX_COPIED} bytes"):
        _patch(*[copy] * 40)
