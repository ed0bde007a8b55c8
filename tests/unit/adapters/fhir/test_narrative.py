"""Narrative reaches a browser, so what acts is refused."""

import pytest

from adapters.fhir.narrative import is_narrative

XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    "inside",
    [
        "<p>Weight 70&nbsp;kg &lt; 80</p>",
        '<table border="1"><tr><td colspan="2">x</td></tr></table>',
        '<a href="https://example.org/a">x</a> <a href="#p">y</a>',
        '<img src="#picture" alt="x"/>',
    ],
    ids=["entities", "table", "links", "picture"],
)
def test_plain_xhtml_is_narrative(inside: str) -> None:
    """What HTML 4 has for text and tables may stand."""
    assert is_narrative(f"<div {XMLNS}>{inside}</div>")


@pytest.mark.parametrize(
    "div",
    [
        f"<div {XMLNS}><script>x</script></div>",
        f'<div {XMLNS}><p onclick="x()">x</p></div>',
        f'<div {XMLNS}><a href="javascript:x()">x</a></div>',
        f'<div {XMLNS}><a href=" JAVASCRIPT:x()">x</a></div>',
        f"<div {XMLNS}><form>x</form></div>",
        f"<div {XMLNS}><p>x</div>",
        f"<div {XMLNS}> </div>",
        "<div>x</div>",
        f"<p {XMLNS}>x</p>",
        f'<!DOCTYPE d [<!ENTITY a "b">]><div {XMLNS}>&a;</div>',
        f"<div {XMLNS}>x<?php x?></div>",
        f'<div {XMLNS}><svg xmlns="http://www.w3.org/2000/svg">x</svg></div>',
    ],
    ids=[
        *("script", "handler", "link-acts", "link-acts-in-capitals", "form", "unclosed", "empty"),
        *("no-namespace", "no-div", "entity-bomb", "instruction", "svg"),
    ],
)
def test_what_acts_or_is_no_xhtml_is_refused(div: str) -> None:
    """A later page that shows this text must not run it."""
    assert not is_narrative(div)
