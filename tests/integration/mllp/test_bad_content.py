"""Content that no parser should see: real dialect, real database, real socket; others go on."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pytest
from sqlalchemy import text

from adapters.hl7v2.dialect import Hl7v2
from bridge.flows.receive import Received, receive
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from tests.fakes.feed import adt
from tests.neighbour import Neighbour
from tests.served_mllp import Served, code_of, eventually, quick_limits
from workers.mllp import Listener
from workers.mllp.gathering import Work
from workers.sources import SystemClock, SystemEntropy

Serve = Callable[..., Served]
MIB = 1024 * 1024
SLOWEST_S = 15.0
"""A neighbour shares transaction and interpreter with the worst message here, on a busy machine."""


def message(*segments: bytes, control_id: bytes = b"1", head: bytes = b"MSH|^~\\&|") -> bytes:
    """An ADT^A01 with these segments behind its MSH."""
    msh = head + b"LAB|HOSP|US|X|20261122||ADT^A01^ADT_A01|" + control_id + b"|P|2.5.1"
    return b"\r".join((msh, b"EVN||20261122", *segments, b""))


PID = b"PID|1||42^^^HOSP^MR||DOE^JANE"
PV1 = b"PV1|1|I"


class Case(NamedTuple):
    """One message and the codes that may answer it."""

    raw: bytes
    codes: str


CASES = {
    "charset-unknown": Case(message(PID, PV1).replace(b"2.5.1", b"2.5.1||||||KLINGON"), "AA AE"),
    "charset-wrong": Case(
        message(PID + b"\xff\xfe\xe4", PV1).replace(b"2.5.1", b"2.5.1||||||UNICODE UTF-8"), "AA AE"
    ),
    "utf-16-of-half-a-character": Case(("MSH|^~\\&|" + "x" * 50).encode("utf-16")[:-1], "AE"),
    "delimiters-missing": Case(message(PID, PV1, head=b"MSH||"), "AE"),
    "delimiters-repeated": Case(message(PID, PV1, head=b"MSH|||||"), "AE CE"),
    "delimiter-is-a-letter": Case(message(PID, PV1).replace(b"|", b"x"), "AE"),
    "every-field-of-PID-1-MB": Case(
        message(b"PID" + b"".join(b"|" + b"x" * MIB for _ in range(12)), PV1), "AA AE"
    ),
    "MSH-10-of-1-MB": Case(message(PID, PV1, control_id=b"9" * MIB), "AA AE"),
    "100000-segments": Case(message(PID, PV1, *[b"NTE|1||x"] * 100_000), "AA AE"),
    "100000-unknown-segments": Case(message(PID, PV1, *[b"ZZZ|1"] * 100_000), "AA AE"),
    "100000-patients": Case(message(*[b"PID|1||42^^^HOSP^MR"] * 100_000), "AA AE"),
    "100000-repetitions": Case(
        message(b"PID|1||" + b"~".join([b"42^^^HOSP^MR"] * 100_000), PV1), "AA AE"
    ),
    "100000-components": Case(message(b"PID|1||42" + b"^x" * 100_000, PV1), "AA AE"),
    "100000-subcomponents": Case(message(b"PID|1||42&" + b"a&" * 100_000, PV1), "AA AE"),
    "100000-fields": Case(message(PID + b"|x" * 100_000, PV1), "AA AE"),
    "100000-escapes": Case(message(b"PID|1||42||" + b"\\F\\" * 100_000, PV1), "AA AE"),
    "escape-that-never-ends": Case(message(b"PID|1||42||" + b"\\" + b"X" * MIB, PV1), "AA AE"),
    "hex-of-controls": Case(message(b"PID|1||42||A\\X000B1C0D\\B", PV1), "AA AE"),
    "NUL-in-a-field": Case(message(b"PID|1||42^^^HOSP^MR||A\0B", PV1), "AA AE"),
    "dates-of-nowhere": Case(message(b"PID|1||42||A||99999999999999.9999+9999", PV1), "AA AE"),
}


@pytest.fixture
def attacked(serve: Serve, clean: Database) -> Iterator[Served]:
    """The product's own intake, and a neighbour on another listener."""
    dialect, intake = Hl7v2(), PostgresIntake(clean)

    def receive_group(inputs: Sequence[Work]) -> Sequence[Received]:
        return receive(
            inputs, dialect=dialect, intake=intake, clock=SystemClock(), entropy=SystemEntropy()
        )

    node = serve(
        Listener(feed="attacked", host="127.0.0.1", port=0, limits=quick_limits()),
        Listener(feed="neighbour", host="127.0.0.1", port=0, limits=quick_limits()),
        receive_group=receive_group,
    )
    neighbour = Neighbour(node.server.addresses[1][1])
    yield node
    before = neighbour.answered
    eventually(lambda: neighbour.answered > before + 3, within_s=30)
    neighbour.leave()
    assert neighbour.codes == {"AA"}
    assert neighbour.slowest_s < SLOWEST_S


@pytest.mark.parametrize("name", CASES)
def test_content_gets_a_clear_answer_is_kept_and_costs_no_one_else(
    attacked: Served, clean: Database, name: str
) -> None:
    """AA or AE by name, the bytes in the database, the next message on the line accepted."""
    case = CASES[name]

    with attacked.client() as client:
        client.socket.settimeout(60)
        answer = client.ask(case.raw)
        after = client.ask(adt("after"))
    if answer.startswith(b"\xff\xfe"):
        answer = answer.decode("utf-16").encode()

    assert code_of(answer)[:2] in case.codes.split()
    if code_of(answer).startswith("AE"):
        assert b"\rERR|" in answer
    assert code_of(after) == "AA after"
    assert len(answer) < 65_536
    assert kept(clean, case.raw)


def test_lost_ACK_is_answered_again_and_nothing_is_stored_twice(  # noqa: N802 - the standard's name
    attacked: Served, clean: Database
) -> None:
    """The sender dies before it read the answer, comes back and sends the same bytes."""
    raw = message(PID, PV1, control_id=b"lost")
    with attacked.client() as client:
        first = client.ask(raw)
    with attacked.client() as client:
        again = client.ask(raw)

    assert first == again
    assert records(clean, "lost") == 1


def test_two_senders_may_use_one_control_id(attacked: Served, clean: Database) -> None:
    """MSH-10 is unique within its sender, not in the world."""
    one = message(PID, PV1, control_id=b"same")
    two = one.replace(b"LAB|HOSP", b"RIS|HOSP")

    with attacked.client() as client:
        codes = [code_of(client.ask(raw)) for raw in (one, two)]

    assert codes == ["AA same", "AA same"]
    assert records(clean, "same") == 2


def kept(database: Database, raw: bytes) -> bool:
    """As a record or in quarantine, byte for byte."""
    query = text(
        "SELECT EXISTS (SELECT FROM record WHERE source = :raw)"
        " OR EXISTS (SELECT FROM quarantine WHERE source = :raw)"
    )
    with database.unit():
        return bool(database.connection.execute(query, {"raw": raw}).scalar_one())


def records(database: Database, control_id: str) -> int:
    """Records with this MSH-10."""
    query = text("SELECT count(*) FROM record WHERE control_id = :id")
    with database.unit():
        return int(database.connection.execute(query, {"id": control_id}).scalar_one())
