"""One call for every table test: a datatype by name, a text, and what the context found."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.tables import load

Convert = Callable[..., tuple[Any, list[str]]]


@pytest.fixture
def ctx() -> Context:
    """A sender in its own name space, with a facility and without a zone."""
    return Context(namespace="urn:x:stmary", facility="")


@pytest.fixture
def convert(ctx: Context) -> Convert:
    """The value as plain JSON with the codes found; a table is named as a map would name it."""

    def call(name: str, text: str, table: str = "", ctx: Context = ctx) -> tuple[Any, list[str]]:
        kind = DATATYPES[name]
        if kind.coded:
            value = kind.function(text, ctx, load(table) if table else None)
        else:
            value = kind.function(text, ctx)
        # Numbers are compared as the digits that will stand in the bundle.
        plain = json.loads(msgspec.json.encode(value), parse_int=str, parse_float=str)
        return plain, [finding.code for finding in ctx.findings]

    return call
