"""Any byte string gives a bundle or one BridgeError, never another exception."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.explain import residue
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.canon import canonicalise

SEED = (
    b"MSH|^~\\&|A|B|C|D|20240101120000+0100||ORU^R01^ORU_R01|1|P|2.5\r"
    b"PID|1||1^^^H^MR||Doe^Jane||19800101|F|||1 St^^Town\rPV1|1|I|W^1^2|||||7^Who^Doc\r"
    b"ORC|RE|P1|F1\rOBR|1|P1|F1|X^y^LN|||20240101\rOBX|1|NM|1^a^LN||5.0|mg||N|||F\r"
    b"NTE|1||note\rOBX|2|ED|2^b^LN||^text^plain^Base64^QUJD||||||F\rSPM|1|^S1||BLD\r"
    b"AL1|1|DA|P^Penicillin|SV|Rash\rDG1|1||I10^x^I10\rMRG|2^^^H\r"
)
DIALECT = Hl7v2()
PIECES = st.sampled_from(
    [b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b'""', b"\\X00\\", b"\\Zx\\", b"\xff", b"\x00",
     b"MSH|", b"OBX|1|SN|x||<>^1^-^", b"\x1c\r", b"99999999999999999999", b"\xed\xa0\x80"]
)  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, len(SEED)), st.integers(0, 30), PIECES), max_size=6)


def attempt(raw: bytes) -> None:
    """Convert, and hold the outcome to the rule."""
    try:
        made = DIALECT.convert(raw, sender="")
    except BridgeError as refusal:
        outcome = (refusal.fault, bool(refusal.where))
    else:
        outcome = (Fault.SENDER, canonicalise(made.canonical) == made.canonical)
        residue(DIALECT, raw)
    assert outcome == (Fault.SENDER, True)


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    """Noise is refused with a place."""
    attempt(raw)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS)
def test_a_mutated_message(edits: list[tuple[int, int, bytes]]) -> None:
    """Cut, overwritten and spliced messages convert or are refused."""
    raw = SEED
    for at, width, piece in edits:
        raw = raw[:at] + piece + raw[at + width :]
    attempt(raw)


@pytest.mark.parametrize("cut", range(80))
def test_a_message_cut_at_every_byte_of_its_header(cut: int) -> None:
    """A cut header gives a bundle or a refusal."""
    attempt(SEED[:cut])


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("segments", SEED + b"OBX|1|NM|1||5\r" * 20_000),
        ("repetitions", SEED + b"PID|1||" + b"1~" * 50_000 + b"\r"),
        ("strays", SEED + b"EVN|A01\r" * 20_000),
        ("report lines", SEED + b"OBX|1|TX|R||some line of a report\r" * 20_000),
        ("subcomponents", SEED + b"PID|1||1^^^" + b"&" * 100_000 + b"\r"),
        ("escapes", SEED + b"NTE|1||" + b"\\E\\" * 50_000 + b"\r"),
        ("identifiers", SEED + b"PID|1||%s\r" % b"~".join(b"%d^^^H" % i for i in range(40_000))),
        (
            "child reports",
            SEED + b"".join(b"OBR|1|P|F%d|s|" % i + b"|" * 21 + b"X^1^a\r" for i in range(3_000)),
        ),
        ("continuations", SEED + b"no segment at all\r" * 50_000),
    ],
)
@pytest.mark.timeout(60)
def test_size_costs_linear_time(name: str, raw: bytes) -> None:
    """Many of anything is slow in proportion, not squared."""
    del name

    attempt(raw)
