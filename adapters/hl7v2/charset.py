"""Character sets: bytes to text by BOM, transport, MSH-18, the sender, then latin-1."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

__all__ = ["TABLE_0211", "decode", "is_charset"]

TABLE_0211: Final = {
    "": "",
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "ISO IR6": "ascii",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "CNS 11643-1992": "euc_tw",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
}
"""HL7 table 0211 to Python codecs. `8859/1` and kin contain ASCII, so MSH can be read before."""

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SPELLINGS: Final = {
    name.replace(" ", "").replace("-", "").replace("_", "").replace("/", ""): codec
    for name, codec in TABLE_0211.items()
} | {
    # What interface engines write besides the table; each is the registered IANA name.
    "UTF8": "utf-8",
    "UTF16": "utf-16",
    "USASCII": "ascii",
    "ISO88591": "iso8859-1",
    "ISO88592": "iso8859-2",
    "ISO88595": "iso8859-5",
    "ISO88597": "iso8859-7",
    "ISO88599": "iso8859-9",
    "ISO885915": "iso8859-15",
    "LATIN1": "iso8859-1",
    "WINDOWS1252": "cp1252",
    "CP1252": "cp1252",
    "GB18030": "gb18030",
    "SHIFTJIS": "shift_jis",
}
_DOUBLE_BYTE: Final = ("utf-16", "utf-32")

Note = Callable[[str, str], None]


def decode(
    raw: bytes, *, declared: tuple[str, ...], transport: str, senders: tuple[str, ...], note: Note
) -> tuple[str, str]:
    """The text and the codec that read it; bytes are never refused, only reported.

    Args:
        raw: one message without framing.
        declared: MSH-18 repetitions, as sent.
        transport: charset of the Content-Type; wins over all but a byte order mark.
        senders: the profile's charset, then its fallback.
        note: takes (code, text) of a finding.

    Source: HL7 v2.5.1 ch. 2.15.9.18, table 0211.
    """
    for mark, codec in _BOMS:
        if raw.startswith(mark):
            text = _strict(raw, "utf-8-sig" if codec == "utf-8" else codec)
            if text is not None:
                note("byte-order-mark", "a byte order mark stood before MSH and was skipped")
                return text, codec
    names = [transport, *declared, *senders] if transport else [*declared, *senders]
    tried: set[str] = set()
    for name in names or ("UNICODE UTF-8",):
        found = _codec(name, note)
        if found and found not in tried:
            tried.add(found)
            text = _strict(raw, found)
            if text is not None:
                return text, found
    return _last_resort(raw, tried, note)


def is_charset(name: str) -> bool:
    """Whether bytes can be read by that name of table 0211 or IANA."""
    return bool(_codec(name, lambda _code, _text: None))


def _codec(name: str, note: Note) -> str:
    """The Python codec of a name of table 0211 or IANA; empty when unknown or not usable."""
    codec = _spelled(name)
    if codec is None:
        note("charset-unknown", "a character set is not in table 0211 - correct MSH-18 or profile")
        return ""
    if codec in _DOUBLE_BYTE:
        # MSH was readable byte by byte, so the message cannot be in these.
        note("charset-wrong", "the declared character set cannot be the one of these bytes")
        return ""
    if not _is_here(codec):
        note("charset-unsupported", "the declared character set has no decoder here")
        return ""
    return codec


@lru_cache(maxsize=64)  # a process meets a handful; bounded against a sender that varies them
def _spelled(name: str) -> str | None:
    """The codec of a name in any spelling."""
    key = name.upper()
    for character in " -_/":
        key = key.replace(character, "")
    return _SPELLINGS.get(key)


@cache
def _is_here(codec: str) -> bool:
    """Whether this Python has the codec, one of `_SPELLINGS`."""
    try:
        "".encode(codec)
    except LookupError:
        return False
    return True


def _strict(raw: bytes, codec: str) -> str | None:
    """The text, or None when one byte does not belong to the character set."""
    try:
        return raw.decode(codec)
    except UnicodeError:
        return None


def _last_resort(raw: bytes, tried: set[str], note: Note) -> tuple[str, str]:
    """UTF-8 where it fits whole, else latin-1, which reads any byte. Both are reported."""
    text = _strict(raw, "utf-8")
    if text is not None:
        if tried and not raw.isascii():
            note("charset-wrong", "bytes are outside the declared character set: read as UTF-8")
        return text, "utf-8"
    note("charset-guessed", "bytes fit no declared character set: read as latin-1")
    return raw.decode("latin-1"), "latin-1"
