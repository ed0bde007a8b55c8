"""Findings of one message."""

from adapters.hl7v2.context import MAX_FINDINGS, Context


def test_a_finding_names_the_occurrence() -> None:
    """The third OBX is OBX[3]; the first is plain."""
    ctx = Context()
    ctx.at, ctx.occurrence = "OBX-5", 3

    ctx.note("odd", "text")

    assert ctx.findings[0].where == "OBX[3]-5"


def test_findings_are_bounded_and_counted() -> None:
    """A hostile message cannot answer with a finding a field."""
    ctx = Context()

    for _ in range(MAX_FINDINGS + 7):
        ctx.note("odd", "text")

    assert (len(ctx.findings), ctx.suppressed) == (MAX_FINDINGS, 7)
