"""The only condition language, `when`: comparison, in, valued, and, or, not, to Python.

    PV1-2 = 'P' and not PV1-45 valued
    trigger in ('A11', 'A12') or OBR-25 != 'X'
A position without component is compared by its first component; `valued` asks the whole field.
"""

from collections.abc import Iterator
from typing import Final

from adapters.hl7v2.compiler.rows import nearest, parse_position, refuse

__all__ = ["WORDS", "python_of"]

WORDS: Final = {"trigger": "b.trigger", "code": "b.code", "lead": "g.lead"}
"""What may be asked besides positions: MSH-9.2, MSH-9.1, the segment that opened the group."""
_PUNCTUATION: Final = ("!=", "=", "(", ")", ",")


def python_of(text: str, segment: str, place: str) -> str:
    """The condition over `f` (fields), `g` (group), `b` (build), `s_OBR` (the nearest OBR)."""
    reader = _Reader(list(_words(text, place)), segment, place)
    expression = reader.either()
    if reader.rest:
        raise refuse("when-form", f"unexpected {reader.rest[0]!r} in when", place,
                     "join comparisons by and, or")  # fmt: skip
    return expression


def _words(text: str, place: str) -> Iterator[str]:
    """Names, quoted texts and signs, in order."""
    index = 0
    while index < len(text):
        character = text[index]
        if character.isspace():
            index += 1
        elif character == "'":
            end = text.find("'", index + 1)
            if end < 0:
                raise refuse("when-form", "a quoted text does not end", place, "close it with '")
            yield text[index : end + 1]
            index = end + 1
        else:
            sign = next((sign for sign in _PUNCTUATION if text.startswith(sign, index)), "")
            end = index + len(sign)
            while (
                not sign and end < len(text) and not (text[end].isspace() or text[end] in "!=(),'")
            ):
                end += 1
            if end == index:
                raise refuse("when-form", f"unexpected {character!r} in when", place,
                             "use =, !=, in, valued, and, or, not")  # fmt: skip
            yield text[index:end]
            index = end


class _Reader:
    """Recursive descent over the words; each method returns Python source."""

    def __init__(self, words: list[str], segment: str, place: str) -> None:
        self.rest, self.segment, self.place = words, segment, place

    def either(self) -> str:
        parts = [self.both()]
        while self.rest[:1] == ["or"]:
            self.take()
            parts.append(self.both())
        return f"({' or '.join(parts)})" if len(parts) > 1 else parts[0]

    def both(self) -> str:
        parts = [self.one()]
        while self.rest[:1] == ["and"]:
            self.take()
            parts.append(self.one())
        return f"({' and '.join(parts)})" if len(parts) > 1 else parts[0]

    def one(self) -> str:
        word = self.take()
        if word == "not":
            return f"(not {self.one()})"
        if word == "(":
            inner = self.either()
            self.take(")")
            return inner
        return self.comparison(word)

    def comparison(self, word: str) -> str:
        sign = self.take()
        if sign == "valued":
            return f"({self.value(word, whole=True)} not in EMPTY)"
        value = self.value(word, whole=False)
        if sign in {"=", "!="}:
            return f"({value} {'==' if sign == '=' else '!='} {self.literal(self.take())})"
        if sign == "in":
            self.take("(")
            texts = [self.literal(self.take())]
            while self.rest[:1] == [","]:
                self.take()
                texts.append(self.literal(self.take()))
            self.take(")")
            return f"({value} in ({', '.join(texts)},))"
        raise refuse("when-form", f"{sign!r} is no comparison", self.place,
                     "use =, !=, in (...) or valued")  # fmt: skip

    def value(self, word: str, *, whole: bool) -> str:
        if word in WORDS:
            return WORDS[word]
        if "-" not in word:
            raise refuse("when-form", f"{word!r} is no position and no word", self.place,
                         nearest(word, WORDS, otherwise="a position such as PV1-2"))  # fmt: skip
        position = parse_position(word, self.place)
        name = "f" if position.segment == self.segment else f"s_{position.segment}"
        field = f"{name}[{position.field}]"
        if whole and not position.component:
            return field
        if position.component > 1 or position.subcomponent:
            return f"b.comp({field}, {position.component or 1}, {position.subcomponent})"
        return f"{field}.partition(rep)[0].partition(sep)[0]"

    def literal(self, word: str) -> str:
        if word == "=":
            raise refuse("when-form", "'==' is no comparison", self.place, "write one =")
        if not word.startswith("'"):
            raise refuse("when-form", f"{word!r} is not quoted", self.place,
                         "write texts in single quotes")  # fmt: skip
        return repr(word[1:-1])

    def take(self, wanted: str = "") -> str:
        if not self.rest or (wanted and self.rest[0] != wanted):
            raise refuse("when-form", f"when ends or lacks {wanted or 'a word'}", self.place,
                         "complete the condition")  # fmt: skip
        return self.rest.pop(0)
