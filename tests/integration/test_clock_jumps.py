"""A clock that leaps and is set back: order, log and debts are none of its business."""

import json
from datetime import timedelta

from sqlalchemy import text

from adapters.hl7v2.dialect import Hl7v2
from bridge.chain.recount import transaction_differs
from bridge.core.log.note import VerifierKey
from bridge.flows.deliver import deliver
from bridge.flows.fsck import fsck
from bridge.flows.mark import mark
from bridge.flows.project import project
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.ports.answers import Owed
from bridge.store.answers import PostgresAnswers
from bridge.store.database import Database
from bridge.store.events import PostgresEvents
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.stored import PostgresStored
from bridge.store.versions import PostgresVersions
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock

DAY = 86_400.0
LEAPS = (0.0, 400 * DAY, -20_000 * DAY, 19_000 * DAY, -3600.0, 1.0)
"""Ahead by a year, back to 1973, forward, back by the hour of a summer time, and on."""
SIGNER = KnownSigner()
PATIENT = text("""
SELECT body FROM resource_version WHERE type = 'Patient' ORDER BY version DESC LIMIT 1
""")


def named(step: int) -> bytes:
    """An update of one patient, whose family name says which."""
    return (
        f"MSH|^~\\&|LAB|HOSP|US|X|20261122||ADT^A08^ADT_A01|J{step}|P|2.5.1|||AL|AL\r"
        f"EVN||20261122\rPID|1||42^^^HOSP^MR||Step{step}^Ada\rPV1|1|I\r"
    ).encode()


def test_order_log_and_debts_survive_a_clock_that_jumps(clean: Database) -> None:
    """Applied in the order of arrival, each leaf once, every answer delivered, nothing to mend."""
    clock, entropy, book = FixedClock(), CountedEntropy(), PostgresLogBook(clean)
    answers, delivered = PostgresAnswers(clean), list[str]()

    def refuse_then_take(owed: Owed) -> str:
        delivered.append(owed.record)
        return "later" if delivered.count(owed.record) == 1 else "taken"

    for step, leap in enumerate(LEAPS):
        clock.advance(leap)
        receive(
            [Inbound(raw=named(step), feed="f/1", number=step + 1, deliver_stored="lab:1")],
            dialect=Hl7v2(),
            intake=PostgresIntake(clean),
            clock=clock,
            entropy=entropy,
        )
        project(versions=PostgresVersions(clean), clock=clock, entropy=entropy)
        while sequence(book=book, signer=SIGNER, clock=clock, origin=SIGNER.name):
            pass
        mark(events=PostgresEvents(clean), clock=clock, entropy=entropy, every=timedelta(hours=1))
        deliver(answers=answers, send=refuse_then_take, clock=clock)  # type: ignore[arg-type]  # an Outcome
    clock.advance(600.0)
    deliver(answers=answers, send=refuse_then_take, clock=clock)  # type: ignore[arg-type]  # an Outcome
    while sequence(book=book, signer=SIGNER, clock=clock, origin=SIGNER.name):
        pass

    with clean.unit():
        rows = clean.connection.execute(PATIENT).scalars()
        names = [json.loads(bytes(body))["name"][0]["family"] for body in rows]
        owed = clean.connection.execute(text("SELECT count(*) FROM owed_answer")).scalar_one()
    found = fsck(
        stored=PostgresStored(clean),
        book=book,
        verifiers=[VerifierKey.parse(SIGNER.verifier_key)],
        transaction=transaction_differs,
        progress=lambda _stage, _done: None,
    )
    assert names == [f"Step{len(LEAPS) - 1}"]
    assert owed == 0
    assert found.difference is None
