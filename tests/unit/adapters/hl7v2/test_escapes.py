"""Escape sequences of chapter 2.7."""

import pytest

from adapters.hl7v2.context import Context


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\F\b", "a|b"), (r"\S\\T\\R\\E\\P\ ", "^&~\\# "), (r"\H\bold\N\ ", "bold "),
        (r"\X414243\ ", "ABC "), (r"\XC3A9\ ", "é "), (r"a\X0D0A\b", "a\nb"),
        (r"a\.br\b", "a\nb"), (r"a\.sp2\b", "a\n\nb"), (r"a\.sk3\b", "a   b"),
        (r"\.in+4\\.ti-2\\.fi\\.nf\a\.ce\b", "a\nb"), (r"\M2442\$K\C2842\ ", "に "),
    ],
)  # fmt: skip
def test_known_sequences_become_what_they_stand_for(raw: str, text: str) -> None:
    """Each once, left to right."""
    ctx = Context()

    assert ctx.text(raw) == text
    assert ctx.findings == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"\Zlocal\ ", r"\Zlocal\ "), (r"C:\dir\F\x", "C:\\dir|x"), ("ends\\", "ends\\"),
        (r"\X4\ ", r"\X4\ "), (r"\X00\ ", r"\X00\ "), (r"\.zz\ ", r"\.zz\ "),
    ],
)  # fmt: skip
def test_unknown_sequences_are_kept_and_reported_once(raw: str, text: str) -> None:
    """Nothing that a sender wrote is dropped."""
    ctx = Context()

    assert ctx.text(raw) == text
    assert [note.code for note in ctx.findings] == ["escape-unknown"]


def test_delimiters_are_those_of_the_message() -> None:
    r"""`\S\` is what MSH-2 says, and without escape character nothing is an escape."""
    assert Context(component="$", escape="!").text("a!S!b") == "a$b"
    assert Context(escape="").text(r"a\F\b") == r"a\F\b"
