"""Acknowledgements: MSA-1 by whose fault, MSH as the sender's own, readable by strangers."""

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7apy.parser import parse_message
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.ack import (
    Due,
    Mode,
    acknowledge,
    answer,
    answer_together,
    asks_enhanced,
    due,
    only_answer,
    wants_answer,
)
from adapters.hl7v2.header import read_header
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, RecordId, instant
from bridge.core.record.bundle import Apply, CanonicalBundle, Finding, Severity
from bridge.ports.dialect import Accepted, Refused

AT = instant(datetime(2026, 11, 22, 14, 0, 5, tzinfo=UTC))
RECORD = RecordId("019aab6e-3f80-7000-8000-000000000001")
ADT = b"MSH|^~\\&|LAB|HOSP|US|CLINIC|20261122||ADT^A01^ADT_A01|C-1|T|2.5.1||||||8859/1\rPID|1||42\r"
BUNDLE = CanonicalBundle(
    canonical=b"{}",
    source=Digest(bytes(32)),
    mapping=Digest(bytes(32)),
    apply=Apply.MERGE,
    message_type="ADT^A01^ADT_A01",
    control_id="C-1",
    lanes=("lane",),
    findings=(
        Finding(code="zone-missing", severity=Severity.WARNING, where="PID-7", text="no zone"),
        Finding(code="note", severity=Severity.INFORMATION, where="PID-8", text="noted"),
    ),
)
ACCEPTED = Accepted(record=RECORD, bundle=BUNDLE)


def refused(
    code: str = "patient-id-missing", fault: Fault = Fault.SENDER, where: str = "PID-3"
) -> Refused:
    """A refusal that differs in one thing."""
    reason = BridgeError(code, fault, what="no identifier | found", where=where, do="send one")
    return Refused(record=RECORD, reason=reason)


def read_by_hl7apy(ack: bytes) -> Any:
    """The message as hl7apy sees it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parse_message(ack.decode("latin-1"), find_groups=False)


def test_acceptance_mirrors_the_sender_and_echoes_the_control_id() -> None:
    """AA with application and facility swapped, processing id, version and charset kept."""
    assert acknowledge(ADT, ACCEPTED, at=AT) == (
        b"MSH|^~\\&|US|CLINIC|LAB|HOSP|20261122140005+0000||ACK^A01^ACK|55E41FB3AB780389B707"
        b"|T|2.5.1||||||8859/1\rMSA|AA|C-1|record " + ACCEPTED.record.encode() + b"\r"
    )


@pytest.mark.parametrize("version", [b"2.7", b"2.7.1", b"2.8.2", b"2.9"])
@pytest.mark.parametrize("mode", ["original", "enhanced"])
def test_acceptance_fills_no_withdrawn_field(version: bytes, mode: Mode) -> None:
    """HAPI refuses an MSA-3 from v2.7 on; ERR of severity I names the record there."""
    _, msa, err, rest = acknowledge(
        ADT.replace(b"2.5.1", version), ACCEPTED, at=AT, mode=mode
    ).split(b"\r")

    assert msa in {b"MSA|AA|C-1", b"MSA|CA|C-1"}
    assert err == (
        b"ERR|||0^Message accepted^HL70357|I|accepted^^L|||record " + ACCEPTED.record.encode()
    )
    assert rest == b""


def test_refusal_names_the_place_the_condition_and_the_next_step() -> None:
    """AE with ERR-2, ERR-3 and words, in the sender's delimiters."""
    segments = acknowledge(ADT, refused(), at=AT).split(b"\r")

    assert segments[1:] == [
        b"MSA|AE|C-1|no identifier \\F\\ found",
        (
            b"ERR||PID^1^3|101^Required field missing^HL70357|E|patient-id-missing^^L||"
            b"no identifier \\F\\ found (PID-3) - send one [patient-id-missing] kept as record "
            b"019aab6e-3f80-7000-8000-000000000001|no identifier \\F\\ found - send one"
        ),
        b"",
    ]


@pytest.mark.parametrize(
    ("verdict", "original", "enhanced"),
    [
        pytest.param(ACCEPTED, b"AA", b"CA", id="accepted"),
        pytest.param(refused(), b"AE", b"CE", id="sender"),
        pytest.param(refused("message-type", where="MSH-9"), b"AR", b"CE", id="not-served"),
        pytest.param(refused("sender-policy"), b"AR", b"CE", id="policy"),
        pytest.param(refused("rule", Fault.OPERATOR), b"AR", b"CE", id="operator"),
        pytest.param(refused("database-down", Fault.PEER), b"AE", b"CR", id="peer"),
        pytest.param(refused("invariant", Fault.US), b"AE", b"CR", id="us"),
    ],
)
def test_code_says_whose_move_it_is(
    verdict: Accepted | Refused, original: bytes, enhanced: bytes
) -> None:
    """CR is try again, CE and AE mend the message, AR not taken here."""
    modes: tuple[Mode, ...] = ("original", "enhanced")
    acks = [acknowledge(ADT, verdict, at=AT, mode=mode) for mode in modes]

    assert [ack.split(b"\r")[1].split(b"|")[1] for ack in acks] == [original, enhanced]


@pytest.mark.parametrize(
    ("version", "sent", "expected"),
    [
        (b"2.1", b"ADT^A01", b"ACK"),
        (b"2.3", b"ADT^A01", b"ACK"),
        (b"2.3.1", b"ADT^A01", b"ACK^A01^ACK"),
        (b"2.5.1^USA", b"ADT^A01^ADT_A01", b"ACK^A01^ACK"),
        (b"2.8.2", b"ADT", b"ACK"),
        (b"nonsense", b"ADT^A01", b"ACK^A01^ACK"),
        (b"2.5.1", b"ADT^A01&&&& long", b"ACK"),
    ],
)
def test_message_type_follows_the_version(version: bytes, sent: bytes, expected: bytes) -> None:
    """MSH-9 is ACK alone up to v2.3 and names trigger and structure later."""
    raw = ADT.replace(b"2.5.1", version).replace(b"ADT^A01^ADT_A01", sent)

    ack = acknowledge(raw, ACCEPTED, at=AT)

    assert read_header(ack).field(9) == expected
    assert read_header(ack).field(12) == (b"2.5.1" if version == b"nonsense" else version)


@pytest.mark.parametrize("version", ["2.3", "2.4", "2.5.1", "2.7", "2.8.2"])
def test_place_stands_where_each_version_looks_for_it(version: str) -> None:
    """ERR-1 before v2.5, MSA-3 before v2.7, ERR-2 always."""
    ack = acknowledge(ADT.replace(b"2.5.1", version.encode()), refused(), at=AT)
    _, msa, err, _ = ack.split(b"\r")

    assert (err.split(b"|")[1] != b"") == (version < "2.5")
    assert (msa.count(b"|") == 3) == (version < "2.7")
    assert err.split(b"|")[2] == b"PID^1^3"


def test_warnings_are_told_only_when_asked_for() -> None:
    """An AA is short by default; with warnings on, each is an ERR of severity W."""
    short = acknowledge(ADT, ACCEPTED, at=AT)
    long = acknowledge(ADT, ACCEPTED, at=AT, warnings=True)

    assert b"ERR|" not in short
    assert [s for s in long.split(b"\r") if s.startswith(b"ERR")] == [
        (
            b"ERR||PID^1^7|0^Message accepted^HL70357|W|zone-missing^^L||"
            b"no zone (PID-7) [zone-missing]|no zone"
        )
    ]


def test_control_id_of_the_answer_is_the_same_each_time() -> None:
    """MSH-10 depends on the record, so a resend is answered with the same bytes."""
    acks = {acknowledge(ADT, ACCEPTED, at=AT) for _ in range(2)}
    other = acknowledge(ADT, Accepted(record=RecordId("other"), bundle=BUNDLE), at=AT)

    assert len(acks) == 1
    assert len(read_header(other).field(10)) == 20
    assert read_header(other).field(10) != read_header(acks.pop()).field(10)


def test_answer_without_a_record_says_that_nothing_was_kept() -> None:
    """An outage is answered, and its words say to send again."""
    reason = BridgeError("database-down", Fault.PEER, what="no database", where="", do="send again")

    ack = answer(read_header(ADT), at=AT, reason=reason)

    assert b"MSA|AE|C-1|no database\r" in ack
    assert ack.endswith(
        b"no database () - send again [database-down] not kept|no database - send again\r"
    )


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"MSH", id="MSH-of-three-bytes"),
        pytest.param(b"PID|1||42\r", id="no-MSH"),
        pytest.param(b"MSHa^~\\&aLABa\r", id="delimiters-are-letters"),
        pytest.param(b"MSH|^^^^|LAB|HOSP|US|X|2026||ADT^A01|C1|P|2.5.1\r", id="repeated"),
        pytest.param(b"MSH||LAB|HOSP|US|X|2026||ADT^A01|C1|P|2.5.1\r", id="missing"),
        pytest.param(b"MSH|^~\\&|" + b"x" * 1_000_000 + b"|HOSP\r", id="field-of-a-megabyte"),
        pytest.param(b"MSH|^~\\&|\x1c\x0b|H\x00|||||ADT|C\x1c\r", id="frame-bytes-in-fields"),
        pytest.param(ADT.replace(b"8859/1", b"KLINGON"), id="charset-unknown"),
    ],
)
def test_any_bytes_get_an_answer_that_strangers_can_read(raw: bytes) -> None:
    """python-hl7 and hl7apy read the refusal of anything, and no answer breaks its own frame."""
    ack = acknowledge(raw, refused(), at=AT)

    assert str(hl7.parse(ack)["MSA.F1"]) == "AE"
    assert read_by_hl7apy(ack).msa.msa_1.to_er7() == "AE"
    assert not {*b"\x0b\x1c\0"} & {*ack}
    assert len(ack) < 4_000


def test_two_encoding_characters_are_mirrored_and_never_used_in_words() -> None:
    """An old sender that declares no escape character gets words without delimiters."""
    ack = acknowledge(b"MSH|^~|LAB|HOSP|US|X|2026||ADT^A01|C1|P|2.3\r", refused(), at=AT)

    assert ack.startswith(b"MSH|^~|US|X|LAB|HOSP|")
    assert b"MSA|AE|C1|no identifier   found\r" in ack


def test_fields_under_other_delimiters_are_escaped_not_copied() -> None:
    """Where MSH-2 cannot be used the answer uses the default, and a control id cannot inject."""
    ack = acknowledge(b"MSH!abcd!A|B!H!US!X!2026!!ADT!C|1!P!2.5.1\r", ACCEPTED, at=AT)

    assert ack.startswith(b"MSH|^~\\&|US|X|A\\F\\B|H|")
    assert b"\rMSA|AA|C\\F\\1|record " in ack


@pytest.mark.parametrize("mark", [b"\xff\xfe", b""])
def test_utf_16_is_answered_in_utf_16(mark: bytes) -> None:
    """The charset of the input is the charset of the answer, byte order mark included."""
    raw = mark + ADT.decode().replace("LAB", "LÄB").encode("utf-16-le")

    ack = acknowledge(raw, ACCEPTED, at=AT)

    assert ack.startswith(mark + b"M\0S\0H\0")
    assert ack.removeprefix(mark).decode("utf-16-le").split("|")[4] == "LÄB"


def test_bytes_of_any_single_byte_charset_are_mirrored_as_they_came() -> None:
    """A Latin-1 application name comes back in Latin-1."""
    raw = ADT.replace(b"LAB", "LÄB".encode("latin-1"))

    assert b"|L\xc4B|HOSP|" in acknowledge(raw, ACCEPTED, at=AT)


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda tail: b"MSH|^~\\&" + tail))
def test_answering_never_raises_and_is_one_ack(raw: bytes) -> None:
    """Whatever arrives, the answer is MSH, MSA and one ERR, without bytes that break a frame."""
    ack = acknowledge(raw, refused(), at=AT)

    assert b"\x0b" not in ack
    assert b"\x1c" not in ack
    if not read_header(raw).encoding:
        assert [s[:3] for s in ack.split(b"\r")] == [b"MSH", b"MSA", b"ERR", b""]


@pytest.mark.parametrize(
    ("accept", "application", "when_stored", "when_refused"),
    [
        (b"AL", b"NE", Due(accept=True, application=False), Due(accept=True, application=False)),
        (b"AL", b"AL", Due(accept=True, application=True), Due(accept=True, application=False)),
        (b"NE", b"AL", Due(accept=False, application=True), Due(accept=False, application=True)),
        (b"NE", b"NE", Due(accept=False, application=False), Due(accept=False, application=False)),
        (b"ER", b"ER", Due(accept=False, application=False), Due(accept=True, application=False)),
        (b"SU", b"SU", Due(accept=True, application=True), Due(accept=False, application=False)),
        (b"SU", b"ER", Due(accept=True, application=False), Due(accept=False, application=True)),
        (b"", b"AL", Due(accept=False, application=True), Due(accept=False, application=True)),
        (b"??", b"", Due(accept=True, application=False), Due(accept=True, application=False)),
    ],
)
def test_acknowledgements_due_follow_table_0155(
    accept: bytes, application: bytes, when_stored: Due, when_refused: Due
) -> None:
    """AL always, NE never, ER on refusal, SU on success; CE is not repeated as AE."""
    header = read_header(ADT.replace(b"||||||8859/1", b"|||%b|%b" % (accept, application)))

    assert asks_enhanced(header)
    assert due(header, refused=False) == when_stored
    assert due(header, refused=True) == when_refused


def test_answer_in_enhanced_mode_asks_for_no_answer_itself() -> None:
    """MSH-15 and MSH-16 of the answer are NE, so that no acknowledgement is acknowledged."""
    raw = ADT.replace(b"||||||8859/1", b"|||AL|AL")

    header = read_header(acknowledge(raw, ACCEPTED, at=AT, mode="enhanced"))

    assert (header.field(15), header.field(16)) == (b"NE", b"NE")


def test_message_without_msh_15_and_16_is_original_mode() -> None:
    """Both empty is original mode."""
    assert not asks_enhanced(read_header(ADT))


def test_acknowledgement_is_never_acknowledged() -> None:
    """A late ACK that arrives here is kept and not answered: two nodes cannot start a loop."""
    assert not wants_answer(read_header(acknowledge(ADT, ACCEPTED, at=AT)))
    assert wants_answer(read_header(ADT))
    assert wants_answer(read_header(b""))


def test_answers_to_real_messages_are_read_by_two_strangers(shared: Path) -> None:
    """Every published sample gets a refusal that echoes its MSH-10, read by other libraries."""
    paths = sorted((shared / "corpus").rglob("*.hl7"))
    answered = 0

    for number, path in enumerate(paths):
        raw = path.read_bytes()
        ack = acknowledge(raw, refused(), at=AT)
        header = read_header(raw)
        if header.encoding or not header.well_delimited:
            continue
        theirs = hl7.parse(ack.decode("latin-1"))
        assert str(theirs.segment("MSA")[2]).encode("latin-1") == header.field(10)[:256]
        if number % 16 == 0 and header.delimiters.declared == b"^~\\&":
            assert read_by_hl7apy(ack).msa.msa_1.to_er7() == "AE", path
        answered += 1

    assert answered > 0.9 * len(paths) > 100


def test_accept_and_application_acknowledgement_are_two_messages() -> None:
    """Both answer one message, so each has a control id of its own (ch. 2.9.2, MSH-10)."""
    modes: tuple[Mode, ...] = ("original", "enhanced")

    acks = [acknowledge(ADT, ACCEPTED, at=AT, mode=mode) for mode in modes]

    assert len({ack.split(b"|")[9] for ack in acks}) == 2


@pytest.mark.parametrize(
    ("accept", "application", "refuse", "code"),
    [
        ("", "", False, b"AA"),
        ("AL", "", False, b"CA"),
        ("AL", "NE", False, b"CA"),
        ("SU", "NE", False, b"CA"),
        ("ER", "NE", False, b"AA"),
        ("NE", "AL", False, b"AA"),
        ("AL", "AL", False, b"AA"),
        ("AL", "NE", True, b"CE"),
        ("AL", "ER", True, b"AE"),
        ("AL", "AL", True, b"AE"),
    ],
)
def test_door_with_room_for_one_sends_the_one_that_says_most(
    accept: str, application: str, *, refuse: bool, code: bytes
) -> None:
    """Over HTTP there is one answer: the application acknowledgement where it is asked for."""
    head = f"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|C-1|P|2.5.1|||{accept}|{application}"
    raw = head.encode() + b"\rPID|1\r"
    reason = refused().reason if refuse else None
    stored = acknowledge(raw, refused() if refuse else ACCEPTED, at=AT)

    told = only_answer(raw, stored, at=AT, record="r", reason=reason)

    assert told.split(b"\r")[1].split(b"|")[1] == code


def test_batch_is_answered_by_a_batch() -> None:
    """BHS with both ends swapped and the sender's batch id in BHS-12; BTS counts the answers."""
    envelope = b"BHS|^~\\&|LAB|HOSP|US|X|20261122||||B7"

    answer = answer_together(envelope, [b"one\r", b"two\r"], at=AT)

    opening, *rest = answer.split(b"\r")
    assert opening.split(b"|")[:7] == [
        b"BHS", b"^~\\&", b"US", b"X", b"LAB", b"HOSP", b"20261122140005+0000"
    ]  # fmt: skip
    assert opening.split(b"|")[11] == b"B7"
    assert rest == [b"one", b"two", b"BTS|2", b""]
