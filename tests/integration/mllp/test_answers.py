"""Enhanced mode from end to end: MSH-15 and MSH-16, on the connection or to an address."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from sqlalchemy import text

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.header import read_header
from adapters.hl7v2.mllp import Frame, Framer, frame
from bridge.flows.deliver import Delivered, deliver
from bridge.flows.receive import Received, receive
from bridge.store.answers import PostgresAnswers
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from tests.fakes.feed import adt
from tests.served_mllp import Served, code_of, quick_limits
from workers.answers import send_answer
from workers.mllp import Listener
from workers.mllp.gathering import Work
from workers.sources import SystemClock, SystemEntropy

Serve = Callable[..., Served]


class Receiver:
    """A system that takes application acknowledgements by MLLP."""

    def __init__(self) -> None:
        self.code = b"CA"
        self.taken: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Go away."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                framer = Framer()
                while data := line.recv(8192):
                    for event in framer.feed(data):
                        if isinstance(event, Frame):
                            self.taken.append(event.payload)
                            id_ = read_header(event.payload).field(10)
                            line.sendall(frame(b"MSH|^~\\&\rMSA|" + self.code + b"|" + id_ + b"\r"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listening."""
    made = Receiver()
    yield made
    made.close()


def listening(serve: Serve, database: Database, to: str = "") -> Served:
    """The product's own intake behind one listener."""
    dialect, intake = Hl7v2(), PostgresIntake(database)

    def receive_group(inputs: Sequence[Work]) -> Sequence[Received]:
        return receive(
            inputs, dialect=dialect, intake=intake, clock=SystemClock(), entropy=SystemEntropy()
        )

    listener = Listener(
        feed="f", host="127.0.0.1", port=0, application_ack_to=to, limits=quick_limits()
    )
    return serve(listener, receive_group=receive_group)


def bad(control_id: str, accept: str, application: str) -> bytes:
    """A message that is refused: its type is missing."""
    return adt(control_id, accept=accept, application=application).replace(b"ADT^A01^ADT_A01", b"")


def run(database: Database) -> Delivered:
    """The Celery task, once."""
    answers = PostgresAnswers(database)
    return deliver(answers=answers, send=send_answer, clock=SystemClock())


def make_due(database: Database) -> None:
    """As if the pause were over."""
    with database.unit():
        database.connection.execute(text("UPDATE owed_answer SET due = owed"))


@pytest.mark.parametrize(
    ("accept", "application", "good", "refused"),
    [
        ("AL", "AL", "CA AA", "CE"),
        ("AL", "NE", "CA", "CE"),
        ("NE", "AL", "AA", "AE"),
        ("NE", "NE", "", ""),
        ("ER", "ER", "", "CE"),
        ("SU", "SU", "CA AA", ""),
        ("ER", "AL", "AA", "CE"),
        ("SU", "ER", "CA", "AE"),
        ("", "ER", "", "AE"),
        ("AL", "", "CA", "CE"),
        ("", "", "AA", "AE"),
    ],
)
def test_each_value_of_table_0155_is_answered_as_asked(
    serve: Serve, clean: Database, accept: str, application: str, good: str, refused: str
) -> None:
    """MSH-15 and MSH-16 together, for a message that is taken and one that is refused."""
    served = listening(serve, clean)

    with served.client() as client:
        client.send(frame(adt("g", accept=accept, application=application)))
        client.send(frame(bad("b", accept, application)))
        client.send(frame(adt("end")))
        codes = list[str]()
        while not codes or codes[-1] != "AA end":
            codes.append(code_of(client.answer()))

    wanted = [f"{code} g" for code in good.split()] + [f"{code} b" for code in refused.split()]
    assert codes == [*wanted, "AA end"]


def test_application_acknowledgement_goes_to_its_address_and_is_owed_no_more(
    serve: Serve, clean: Database, receiver: Receiver
) -> None:
    """CA on the line at once; AA to the address, which is asked to confirm it."""
    served = listening(serve, clean, receiver.address)

    with served.client() as client:
        codes = [code_of(client.ask(adt("1", accept="AL", application="AL")))]
        codes.append(code_of(client.ask(adt("2"))))
    first, second = run(clean), run(clean)

    assert codes == ["CA 1", "AA 2"]
    assert [code_of(one) for one in receiver.taken] == ["AA 1"]
    assert read_header(receiver.taken[0]).field(15) == b"AL"
    assert (first.taken, second.taken) == (1, 0)


def test_receiver_that_is_down_gets_it_when_it_is_back(serve: Serve, clean: Database) -> None:
    """The debt is in the database: it outlives every process."""
    gone = Receiver()
    gone.close()
    served = listening(serve, clean, gone.address)
    with served.client() as client:
        client.ask(adt("1", accept="AL", application="AL"))
    served.stop()

    down = run(clean)
    back = Receiver()
    with clean.unit():
        clean.connection.execute(text("UPDATE owed_answer SET address = :to"), {"to": back.address})
    at_once = run(clean)
    make_due(clean)
    later = run(clean)
    back.close()

    assert (down.postponed, at_once.taken, later.taken) == (1, 0, 1)
    assert [code_of(one) for one in back.taken] == ["AA 1"]


def test_refusal_by_ER_alone_is_the_only_one_delivered(  # noqa: N802 - the table's value
    serve: Serve, clean: Database, receiver: Receiver
) -> None:
    """MSH-16 of ER: AE to the address, nothing for what was taken."""
    served = listening(serve, clean, receiver.address)

    with served.client() as client:
        client.send(frame(adt("g", accept="NE", application="ER")))
        client.send(frame(bad("b", "NE", "ER")))
        end = client.ask(adt("end"))
    run(clean)

    assert code_of(end) == "AA end"
    assert [code_of(one) for one in receiver.taken] == ["AE b"]


def test_resend_is_answered_again_at_its_address(
    serve: Serve, clean: Database, receiver: Receiver
) -> None:
    """A sender that lost the acknowledgement gets the same one once more."""
    served = listening(serve, clean, receiver.address)

    for _ in range(2):
        with served.client() as client:
            client.ask(adt("1", accept="AL", application="AL"))
        run(clean)

    assert len(receiver.taken) == 2
    assert receiver.taken[0] == receiver.taken[1]


def test_receiver_that_refuses_it_is_noted(
    serve: Serve, clean: Database, receiver: Receiver
) -> None:
    """CE from the receiver ends the debt, and somebody can see it."""
    served = listening(serve, clean, receiver.address)
    receiver.code = b"CE"
    with served.client() as client:
        client.ask(adt("1", accept="AL", application="AL"))

    run(clean)

    with clean.unit():
        codes = clean.connection.execute(text("SELECT code FROM feed_note")).scalars().all()
    assert codes == ["answer-undelivered"]
