"""Order numbers that several orders of one message share.

An order number names one order (HL7 v2.5.1 ch. 4.5.1.2), so that a cancel without detail and a
result with other codes meet it. It does not where a laboratory gives every test of a requisition
the same number, nor for the reflex tests of OBR-26 and OBR-29, which bear the number of the order
that led to them: these are told apart by what they test.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

__all__ = ["Shared"]

_Codes: TypeAlias = tuple[set[str], set[str]]
"""Of one number: codes that were ordered, and codes of the tests that these led to."""
_NOTHING: Final[_Codes] = (set(), set())


class Shared:
    """The order numbers of one message, each without the authority that ORC or OBR may leave out.

    Args:
        lines: segments as fields, long enough for OBR-29.
        separator: of components.
    """

    __slots__ = ("_found", "_separator")

    def __init__(self, lines: Iterable[list[str]], separator: str) -> None:
        """Read ORC and OBR; an OBR belongs to the ORC before it."""
        self._separator = separator
        self._found: dict[str, _Codes] = {}
        order: list[str] = []
        for fields in lines:
            if fields[0] == "ORC":
                order = fields[2:4]
            elif fields[0] == "OBR":
                code = self._first(fields[4])
                for number in {self._first(text) for text in (*fields[2:4], *order)} - {""}:
                    ordered, led = self._found.setdefault(number, (set(), set()))
                    (led if fields[26] or fields[29] else ordered).add(code)

    def apart(self, number: str, code: str) -> bool:
        """Whether the code is needed to tell the order of that number."""
        ordered, led = self._found.get(self._first(number), _NOTHING)
        return bool(code) and (len(ordered) > 1 or (code in led and code not in ordered))

    def _first(self, text: str) -> str:
        return text.split(self._separator, 1)[0]
