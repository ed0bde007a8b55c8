"""Which records a surviving one took over."""

import pytest

from bridge.core.record.links import replaced


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"resourceType":"Patient"}', ()),
        (
            (
                b'{"link":[{"other":{"reference":"Patient/a"},"type":"replaces"},'
                b'{"other":{"reference":"Patient/b"},"type":"replaces"}]}'
            ),
            ("a", "b"),
        ),
        (b'{"link":[{"other":{"reference":"Patient/a"},"type":"replaced-by"}]}', ()),
        (b'{"link":[{"other":{"reference":"Patient/a"},"type":"seealso"}]}', ()),
        (b'{"link":[{"other":{"reference":"RelatedPerson/a"},"type":"replaces"}]}', ()),
        (b'{"link":[{"other":{"display":"him"},"type":"replaces"},7]}', ()),
        (b'{"link":[{"type":"replaces"}]}', ()),
        (b'{"link":"odd"}', ()),
        (b"[]", ()),
    ],
    ids=["none", "two", "back", "also", "other-type", "words", "empty", "no-list", "no-object"],
)
def test_only_replaces_makes_one_person(body: bytes, expected: tuple[str, ...]) -> None:
    """A link that leaves two records leads nowhere, and an odd one is no error."""
    assert replaced(body) == expected
