"""Whatever a stranger sends, an index can hold the text of it."""

import pytest

from bridge.core.plain import plain


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        pytest.param("MSG-1", "MSG-1", id="ordinary"),
        pytest.param("", "", id="empty"),
        pytest.param("Jos\u00e9", "Jos\u00e9", id="accents"),
        pytest.param("a\0b", "a\ufffdb", id="NUL"),
        pytest.param("a\udcffb", "a?b", id="lone surrogate"),
        pytest.param("x" * 5000, "x" * 1000, id="long"),
        pytest.param("\u20ac" * 5000, "\u20ac" * 333, id="long, cut between characters"),
    ],
)
def test_text_is_held(sent: str, held: str) -> None:
    """Ordinary text is unchanged; what cannot be stored is replaced or cut."""
    found = plain(sent)

    assert found == held
