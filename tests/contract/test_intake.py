"""What every Intake promises, held against PostgreSQL and against the fake."""

from dataclasses import replace

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.flows.receive import SHARE, Inbound, prepare
from bridge.ports.intake import Intake, NewRecord, Quarantined
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from tests.fakes.dialect import LineDialect, line
from tests.fakes.intake import MemoryIntake
from tests.fakes.sources import CountedEntropy, FixedClock

ENTROPY = CountedEntropy()


@pytest.fixture(params=["memory", "postgres"])
def intake(request: pytest.FixtureRequest) -> Intake:
    """Each implementation, empty."""
    if request.param == "memory":
        return MemoryIntake()
    clean: Database = request.getfixturevalue("clean")
    return PostgresIntake(clean)


def new_record(control_id: str, lanes: str = "p1") -> NewRecord:
    """A record as the flow makes it."""
    row = _row(line(control_id, lanes=lanes))
    assert isinstance(row, NewRecord)
    return row


def refusal(control_id: str) -> Quarantined:
    """A refusal as the flow makes it."""
    row = _row(line(control_id, bundle="bad"))
    assert isinstance(row, Quarantined)
    return row


def _row(raw: bytes) -> NewRecord | Quarantined:
    one = Inbound(raw=raw, feed="test/1", number=1)
    random = ENTROPY.take(SHARE)
    return prepare(one, dialect=LineDialect(), at=FixedClock().now(), random=random).row


def test_group_is_answered_in_order(intake: Intake) -> None:
    """One entry a record, in the order offered."""
    offered = [new_record(f"m{i}", lanes=f"p{i},q{i}") for i in range(5)]

    with intake.unit():
        appended = intake.append(offered)

    assert [(one.id, one.answer, one.duplicate) for one in appended] == [
        (one.id, one.answer, False) for one in offered
    ]


def test_resend_gets_the_first_answer(intake: Intake) -> None:
    """A resend in a later group stores nothing and is answered as the first was."""
    first, again, other = new_record("m1"), new_record("m1"), new_record("m2")

    with intake.unit():
        intake.append([first])
    with intake.unit():
        appended = intake.append([again, other])

    assert [(one.id, one.answer, one.duplicate) for one in appended] == [
        (first.id, first.answer, True),
        (other.id, other.answer, False),
    ]


def test_resend_within_one_group_gets_the_first_answer(intake: Intake) -> None:
    """A sender that repeats itself at once is one record."""
    first, again = new_record("m1"), new_record("m1")

    with intake.unit():
        appended = intake.append([first, again])

    assert [one.id for one in appended] == [first.id, first.id]
    assert [one.duplicate for one in appended] == [False, True]


def test_input_without_resend_key_is_stored_each_time(intake: Intake) -> None:
    """The same FHIR write twice is two records."""
    first, again = (replace(new_record("m1"), resend_key=None) for _ in range(2))

    with intake.unit():
        appended = intake.append([first, again])

    assert [one.duplicate for one in appended] == [False, False]


def test_failed_unit_keeps_nothing(intake: Intake) -> None:
    """What was written before the failure is gone: the sender sends it again."""
    record, refused = new_record("m1"), refusal("m2")

    with pytest.raises(ZeroDivisionError):
        _fail_after_writing(intake, record, refused)
    with intake.unit():
        appended = (*intake.append([record]), *intake.quarantine([refused]))

    assert [one.duplicate for one in appended] == [False, False]


def _fail_after_writing(intake: Intake, record: NewRecord, refused: Quarantined) -> None:
    with intake.unit():
        intake.append([record])
        intake.quarantine([refused])
        raise ZeroDivisionError


def test_write_outside_a_unit_is_refused(intake: Intake) -> None:
    """No row without a transaction."""
    with pytest.raises(BridgeError, match=r"outside a unit of work \(store\) - open store.unit"):
        intake.append([new_record("m1")])


def test_same_refusal_is_kept_once(intake: Intake) -> None:
    """A sender that retries a bad message for ever fills no disk."""
    first, again = refusal("m1"), refusal("m1")

    with intake.unit():
        kept = intake.quarantine([first])
    with intake.unit():
        repeated = intake.quarantine([again])

    assert (kept[0].id, kept[0].duplicate) == (first.id, False)
    assert (repeated[0].id, repeated[0].answer, repeated[0].duplicate) == (
        first.id,
        first.answer,
        True,
    )


def test_other_reason_is_another_refusal(intake: Intake) -> None:
    """After a mapping was mended halfway, the new reason is seen."""
    first = refusal("m1")
    other = replace(refusal("m1"), reason="another", resend_key=sha256(b"another"))

    with intake.unit():
        kept = intake.quarantine([first, other])

    assert [one.duplicate for one in kept] == [False, False]


def test_refusal_is_closed_once(intake: Intake) -> None:
    """Two people who retry at once close one refusal."""
    refused, stored = refusal("m1"), new_record("m2")
    with intake.unit():
        intake.quarantine([refused])

    with intake.unit():
        first = intake.retried(refused.id, stored.id)
        second = intake.retried(refused.id, stored.id)

    assert (first, second) == (True, False)


def test_empty_group_is_fine(intake: Intake) -> None:
    """Nothing offered, nothing kept."""
    with intake.unit():
        appended = intake.append([])

    assert appended == ()
