"""One group in, one verdict an input out, and never a loss between them."""

import json

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.record.bundle import CanonicalBundle
from bridge.core.record.claims import RECORD_NAMES, SALT_SIZE, Kind, claim, commitment, leaf
from bridge.flows.receive import Inbound, Received, receive
from tests.fakes.dialect import LineDialect, line
from tests.fakes.intake import MemoryIntake
from tests.fakes.sources import CountedEntropy, FixedClock


def send(
    intake: MemoryIntake, *raws: bytes, hint: str | None = None, refuses_reuse: bool = False
) -> tuple[Received, ...]:
    """Receive the inputs as one group."""
    return receive(
        [
            Inbound(raw=raw, feed="test/1", number=i, resend_key_hint=hint)
            for i, raw in enumerate(raws)
        ],
        dialect=LineDialect(refuses_reuse=refuses_reuse),
        intake=intake,
        clock=FixedClock(),
        entropy=CountedEntropy(),
    )


def test_bad_message_fails_alone() -> None:
    """Neighbours of a bad message are stored; it is kept with its reason and answered AE."""
    intake = MemoryIntake()

    good, bad, last = send(intake, line("1"), line("2", bundle="bad"), line("3"))

    assert [one.status for one in (good, bad, last)] == ["stored", "quarantined", "stored"]
    assert [one.id for one in intake.records] == [good.record, last.record]
    assert str(bad.reason) == "the bundle is bad (part 4) - send a good one"
    assert bad.answer.startswith(b"AE ")
    assert [(one.id, one.code) for one in intake.refused] == [(bad.record, "line-bad")]


class _Broken(LineDialect):
    """A mapping with a defect that one message brings to light."""

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """Stumble over the control id 2."""
        spoiled = raw if b"|2|" not in raw else raw.split(b"|")[7]
        return super().convert(spoiled, sender=sender, charset=charset)


def test_message_that_breaks_the_mapping_is_kept_and_stops_no_feed() -> None:
    """A defect of ours refuses one message for a person to see; its sender is not told to retry."""
    intake = MemoryIntake()

    results = receive(
        [Inbound(raw=line(n), feed="test/1", number=int(n)) for n in "123"],
        dialect=_Broken(),
        intake=intake,
        clock=FixedClock(),
        entropy=CountedEntropy(),
    )

    assert [one.status for one in results] == ["stored", "quarantined", "stored"]
    (kept,) = intake.refused
    assert (kept.code, kept.source) == ("conversion-failed", line("2"))
    assert "IndexError (test_receive.py:" in str(results[1].reason)


def test_leaf_covers_the_four_parts_under_fresh_salts() -> None:
    """The leaf can be recomputed from bundle, header, map and source with the stored salts."""
    intake = MemoryIntake()

    send(intake, line("1"), line("1", sender="other"))

    first, second = intake.records
    parts = (first.bundle.canonical, first.header, b"rules", first.source)
    claims = {
        name: claim(name, first.salts[i * SALT_SIZE : (i + 1) * SALT_SIZE], sha256(part))
        for i, (name, part) in enumerate(zip(RECORD_NAMES, parts, strict=True))
    }
    assert first.leaf == leaf(Kind.RECORD, commitment(claims))
    assert first.bundle_digest == sha256(first.bundle.canonical)
    assert not set(_salts(first.salts)) & set(_salts(second.salts))


def _salts(salts: bytes) -> list[bytes]:
    return [salts[i : i + SALT_SIZE] for i in range(0, len(salts), SALT_SIZE)]


def test_header_says_all_that_is_known_beside_the_bytes() -> None:
    """The header is canonical JSON of what transport and reader know, and of nothing clinical."""
    intake = MemoryIntake()

    send(intake, line("1"), line("2"))

    record = intake.records[1]
    assert json.loads(record.header) == {
        "answer": sha256(record.answer).hex(),
        "apply": "merge",
        "control_id": "2",
        "dialect": "line",
        "feed": "test/1",
        "number": 1,
        "received": "2026-11-22T14:00:00.000000Z",
        "record": record.id,
        "sender": record.sender,
        "type": "LINE",
    }


def test_resend_is_answered_as_before() -> None:
    """The lost ACK is sent again, for the record that stands."""
    intake = MemoryIntake()
    (first,) = send(intake, line("1"))

    (again,) = send(intake, line("1"))

    assert (again.status, again.record, again.answer) == ("duplicate", first.record, first.answer)
    assert len(intake.records) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(line("1", bundle='{"a":1}'), id="same control id, other bytes"),
        pytest.param(line("1", sender="other"), id="same control id, other sender"),
    ],
)
def test_reused_control_id_is_a_new_record(other: bytes) -> None:
    """Senders do reuse control ids; what they say with them is kept."""
    intake = MemoryIntake()

    results = send(intake, line("1"), other)

    assert [one.status for one in results] == ["stored", "stored"]


def test_input_without_control_id_may_rightly_come_twice() -> None:
    """Only a hint, such as an Idempotency-Key, makes a repeat of it a resend."""
    intake = MemoryIntake()

    plain = send(intake, line(""), line(""))
    hinted = send(intake, line(""), line(""), hint="key-1")

    assert [one.status for one in plain] == ["stored", "stored"]
    assert [one.status for one in hinted] == ["stored", "duplicate"]


def test_text_that_the_database_cannot_hold_is_mended_in_the_index_alone() -> None:
    """NUL, lone surrogates and huge ids are indexed as they can be; the source is exact."""
    intake = MemoryIntake()
    raw = b"la\0b|" + b"c\0\xff" + b"x" * 5000 + b"|p1|{}"

    (result,) = send(intake, raw)

    (record,) = intake.records
    assert result.status == "stored"
    assert record.source == raw
    assert record.sender == "la\N{REPLACEMENT CHARACTER}b"
    assert record.bundle.control_id == "c\N{REPLACEMENT CHARACTER}?" + "x" * 995


def test_row_that_the_database_refuses_fails_alone() -> None:
    """A group that one row spoils is stored one by one, and that row is quarantined."""
    intake = MemoryIntake()
    intake.unstorable = {"2"}

    results = send(intake, line("1"), line("2"), line("3"))

    assert [one.status for one in results] == ["stored", "quarantined", "stored"]
    assert [one.bundle.control_id for one in intake.records] == ["1", "3"]
    assert [one.code for one in intake.refused] == ["store-refused"]


def test_lost_database_acknowledges_nothing() -> None:
    """Before the commit nothing is kept and nothing may be answered."""
    intake = MemoryIntake()
    intake.fail_at = "before-commit"

    with pytest.raises(BridgeError, match=r"did not answer \(store.unit\) - see that PostgreSQL"):
        send(intake, line("1"))

    assert (intake.records, intake.refused) == ([], [])


def test_commit_that_was_reported_lost_is_found_by_the_resend() -> None:
    """The sender that got no answer sends again and gets the answer of the record that stands."""
    intake = MemoryIntake()
    intake.fail_at = "after-commit"
    with pytest.raises(BridgeError, match="did not answer"):
        send(intake, line("1"))
    intake.fail_at = ""

    (again,) = send(intake, line("1"))

    assert again.status == "duplicate"
    assert len(intake.records) == 1


def test_control_id_used_again_is_refused_where_the_profile_says_so() -> None:
    """Other bytes under the same id are quarantined; the same bytes are a resend."""
    intake = MemoryIntake()
    send(intake, line("1"), refuses_reuse=True)

    again, other, fresh = send(
        intake, line("1"), line("1", lanes="p2"), line("2"), refuses_reuse=True
    )

    assert [one.status for one in (again, other, fresh)] == ["duplicate", "quarantined", "stored"]
    assert str(other.reason) == (
        "this control id was used before for another message (MSH-10) - give each message a "
        "control id of its own; a resend has the same bytes"
    )


def test_control_id_used_twice_in_one_group_is_refused_the_second_time() -> None:
    """A pipelined sender gets the same verdict as a patient one."""
    first, second = send(MemoryIntake(), line("1"), line("1", lanes="p2"), refuses_reuse=True)

    assert (first.status, second.status) == ("stored", "quarantined")


def test_control_id_used_again_is_stored_by_default() -> None:
    """Senders do reuse ids; nothing of theirs is lost."""
    first, second = send(MemoryIntake(), line("1"), line("1", lanes="p2"))

    assert (first.status, second.status) == ("stored", "stored")
