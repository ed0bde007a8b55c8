"""A site's own functions, right and wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.site import SiteFunction, gives, register, required, shown
from bridge.core.errors import BridgeError


def called(function: Callable[..., Any], target: str) -> tuple[object, list[str]]:
    """What comes of the registered function, and its findings."""
    site = SiteFunction(name=f"py:site.t.{target}", digest=f"{id(function):064x}",
                        function=function, gives=target)  # fmt: skip
    ctx = Context()
    value = DATATYPES[register(site)].function("text", ctx)
    return value, [f"{one.code}: {one.text}" for one in ctx.findings]


def loop() -> dict[str, Any]:
    """A value that never ends."""
    value: dict[str, Any] = {}
    value["again"] = value
    return value


@pytest.mark.parametrize(
    ("function", "target", "value"),
    [
        (lambda text, _: text, "string", "text"),
        (lambda _, __: None, "string", None),
        (lambda text, _: {"text": text, "coding": [{"code": "1"}]}, "CodeableConcept",
         {"text": "text", "coding": [{"code": "1"}]}),
        (lambda _, __: True, "boolean", True),
        (lambda _, __: 7, "integer", 7),
        (lambda _, __: 7, "decimal", 7),
    ],
)  # fmt: skip
def test_value_that_fits_is_taken(function: Callable[..., Any], target: str, value: object) -> None:
    """Without a word."""
    assert called(function, target) == (value, [])


@pytest.mark.parametrize(
    ("function", "target", "kind"),
    [
        (lambda _, __: 1 / 0, "string", "ZeroDivisionError"),
        (lambda text, _: {"a": 1}[text], "string", "KeyError"),
        (lambda text, _: text.nothing, "string", "AttributeError"),
        (lambda: "", "string", "TypeError"),
    ],
)
def test_failure_is_a_finding_that_names_the_function(
    function: Callable[..., Any], target: str, kind: str
) -> None:
    """The message is converted without the value; nothing of it is in the finding."""
    said = f"site-function-failed: py:site.t.{target} failed with {kind}: mend its file"
    assert called(function, target) == (None, [said])


@pytest.mark.parametrize(
    ("function", "target"),
    [
        (lambda _, __: 7, "string"),
        (lambda _, __: "", "string"),
        (lambda _, __: 0.5, "decimal"),
        (lambda _, __: True, "integer"),
        (lambda _, __: {}, "Coding"),
        (lambda _, __: {"code": ""}, "Coding"),
        (lambda _, __: {"code": 0.5}, "Coding"),
        (lambda _, __: {"code": []}, "Coding"),
        (lambda _, __: {1: "x"}, "Coding"),
        (lambda _, __: loop(), "Coding"),
        (lambda _, __: "x", "Coding"),
    ],
)
def test_value_that_no_bundle_can_hold_is_left_out(
    function: Callable[..., Any], target: str
) -> None:
    """Another type, a fraction, an empty part, a circle."""
    said = f"site-function-value: py:site.t.{target} gave no {target}: mend its file"
    assert called(function, target) == (None, [said])


def test_mark_is_what_the_loader_reads() -> None:
    """Type, components, table."""

    @gives("Coding", reads=(1, 2), coded=True)
    def stain(text: str, _ctx: Context, _table: object) -> dict[str, str]:
        return {"code": text}

    assert stain.fhir_anchor == ("Coding", (1, 2), True)  # type: ignore[attr-defined]


def test_function_that_is_gone_is_named_as_overlays_write_it() -> None:
    """With the digest of the file that is wanted."""
    name = "py:site.labx.stain." + "0" * 64

    assert (shown(name), shown("CX.Identifier")) == ("py:site.labx.stain", "CX.Identifier")
    with pytest.raises(BridgeError, match=r"used py:site.labx.stain, .* \(sha256:0000"):
        required(name)
