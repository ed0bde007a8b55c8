"""Messages that no sender should send: samples cut, spliced, repeated and filled with odd texts.

The same seed gives the same inputs in every process, so that a number names a failure.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random  # noqa: TID251 - repeatable inputs, no secrets

from adapters.hl7v2.batch import split
from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.explain import residue
from adapters.hl7v2.overlays import parse_profile
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import CanonicalBundle
from bridge.core.record.canon import canonicalise
from tests.conftest import _shared_root

__all__ = ["SEEDS", "attempt", "mutants", "seeds"]

HERE = Path(__file__).parent
SEEDS = tuple(
    text.strip().replace("\n", "\r").encode() + b"\r"
    for text in (HERE / "seeds.hl7").read_text("utf-8").split("\n\n")
)
TOKENS = (
    *(
        text.encode().decode("unicode_escape").encode("latin-1")
        for text in (HERE / "tokens.txt").read_text("ascii").split()
    ),
    *(mark * 50 for mark in (b"A" * 6, b"~", b"^", b"&")),
)
"""Texts that break readers, written with Python's escapes."""
DIALECT = Hl7v2(
    (
        parse_profile("labx", 'match = { "MSH-3" = "LABX" }\nzone = "Europe/Vienna"\n'
                      'unmapped_code = "task"\nunmapped_trigger = "task"\ncharset = "8859/1"'),
        parse_profile("strict", 'match = { "MSH-3" = "V" }\nvalidate = "strict"'),
        parse_profile("refusing", 'match = { "MSH-3" = "M" }\nunmapped_code = "reject"'),
    )
)  # fmt: skip


def seeds() -> tuple[bytes, ...]:
    """Our own, and every published sample that is here and not huge."""
    root = _shared_root() / "corpus"
    files = sorted(root.rglob("*.hl7")) if Path(root).is_dir() else []
    found = [raw for file in files for raw in split(file.read_bytes()).messages]
    return (*SEEDS, *(raw for raw in found if len(raw) < 8_000))


def mutants(seed: int, sources: Sequence[bytes]) -> Iterator[bytes]:
    """Without end; at most 20,000 bytes each."""
    chance = Random(seed)  # noqa: S311 - inputs, no secrets
    while True:
        raw = chance.choice(sources)
        for _ in range(chance.randint(1, 6)):
            raw = chance.choice(CHANGES)(raw, chance, sources)[:20_000]
        yield raw


def attempt(raw: bytes, *, traced: bool) -> bool:
    """Convert, hold the outcome to the rule, and say whether a bundle came of it."""
    made = _outcome(raw)
    if isinstance(made, BridgeError):
        assert made.fault is Fault.SENDER, made
        assert made.where, made
        assert "\n" not in str(made), made
        return False
    assert canonicalise(made.canonical) == made.canonical
    if traced:
        residue(DIALECT, raw)
    return True


def _outcome(raw: bytes) -> CanonicalBundle | BridgeError:
    try:
        return DIALECT.convert(raw, sender="")
    except BridgeError as refusal:
        return refusal


def _cut(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + raw[at + chance.randint(1, 40) :]


def _insert(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(TOKENS) + raw[at:]


def _field(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    """A field becomes an odd text, or many of itself."""
    fields = raw.split(b"|")
    at = chance.randrange(len(fields))
    fields[at] = chance.choice(
        (chance.choice(TOKENS), b"", b"~".join([fields[at]] * chance.randint(2, 6)), b'""')
    )
    return b"|".join(fields)


def _component(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    parts = raw.split(b"^")
    parts[chance.randrange(len(parts))] = chance.choice(TOKENS)
    return b"^".join(parts)


def _lines(raw: bytes, chance: Random, sources: Sequence[bytes]) -> bytes:
    """Segments out of order, twice, or of another message."""
    lines = raw.split(b"\r")
    others = chance.choice(sources).split(b"\r")
    at = chance.randrange(len(lines))
    lines[at:at] = chance.choice(([lines[-1]], [chance.choice(others)], others, [lines[at]] * 5))
    if chance.random() < 0.3:
        rest = lines[1:]
        chance.shuffle(rest)
        lines[1:] = rest
    return b"\r".join(lines)


def _byte(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    data = bytearray(raw or b"M")
    for _n in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _delimiters(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    return raw.replace(raw[3:8], bytes(chance.choice(b"|^~\\&#$%@!*+") for _ in range(5)), 1)


def _endings(raw: bytes, chance: Random, _: Sequence[bytes]) -> bytes:
    return raw.replace(b"\r", chance.choice((b"\n", b"\r\n", b"\n\r", b"\r\r", b" ")))


CHANGES: tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...] = (
    _cut, _insert, _insert, _field, _field, _component, _component, _lines, _byte, _delimiters,
    _endings,
)  # fmt: skip
