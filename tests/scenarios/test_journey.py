"""A hospital's whole stream, received and projected: the state that a clinician would expect.

The stream is the 1,013 messages that a hospital simulator wrote: admissions, results, letters and
one merge of 403 patients. It holds no discharge; `test_rules` closes visits.
"""

import json
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.hl7v2.dialect import Hl7v2
from bridge.chain.recount import transaction_differs
from bridge.core.log.note import VerifierKey
from bridge.flows.fsck import fsck
from bridge.flows.project import Projected, project
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.stored import PostgresStored
from bridge.store.versions import PostgresVersions
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock

STREAM = "corpus/Google_simhospital/docs/artifacts/messages.out"
GROUP = 100
"""Messages a transaction, as a door groups them."""
NOTHING = Projected(records=0, versions=0, stalled=0)
CLOCK = FixedClock()
SIGNER = KnownSigner()


class _SharedEntropy(CountedEntropy):
    """Never the same bytes for two workers."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def take(self, size_bytes: int) -> bytes:
        with self.lock:
            return super().take(size_bytes)


Bodies = dict[tuple[str, str], bytes]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The database after the stream, and the messages as fields by segment name."""

    database: Database
    messages: list[dict[str, list[str]]]
    bodies: Bodies
    resources: dict[str, list[dict[str, Any]]]
    """The present ones by type."""

    def numbered(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """Those of a type by each of their identifiers."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.resources[kind]:
            for value in {held["value"] for held in one.get("identifier", [])}:
                found.setdefault(value, []).append(one)
        return found


@pytest.fixture(scope="module")
def raws(shared: Path) -> list[bytes]:
    """The messages in the order in which the simulator sent them."""
    chunks = (shared / STREAM).read_bytes().split(b"\n\n")
    return [chunk.strip(b"\n") for chunk in chunks if chunk.strip()]


@pytest.fixture(scope="module")
def replay(database: Database, raws: list[bytes]) -> Replay:
    """Received in groups, projected by one worker."""
    bodies = _replayed(database, raws, workers=1, limit=200)
    messages = [
        {line.split("|")[0]: line.split("|") for line in raw.decode().split("\r") if line.strip()}
        for raw in raws
    ]
    resources: dict[str, list[dict[str, Any]]] = {}
    for (kind, _), body in bodies.items():
        resources.setdefault(kind, []).append(json.loads(body))
    return Replay(database=database, messages=messages, bodies=bodies, resources=resources)


def test_every_message_is_applied_and_no_lane_stalls(replay: Replay) -> None:
    """1,013 messages, 1,013 revisions, nothing left waiting, and again nothing to do."""
    counts = {
        table: _count(replay.database, table)
        for table in ("revision", "lane_queue", "lane_stalled", "quarantine")
    }

    assert counts == {"revision": 1013, "lane_queue": 0, "lane_stalled": 0, "quarantine": 0}
    assert _project(replay.database, CountedEntropy(), limit=200) == NOTHING


def test_each_record_number_is_one_patient(replay: Replay) -> None:
    """Every MRN of the stream, also the one that was merged away, is exactly one Patient."""
    numbers = {message["PID"][3].split("^")[0] for message in replay.messages}
    numbers |= {message["MRG"][1].split("^")[0] for message in replay.messages if "MRG" in message}

    patients = replay.numbered("Patient")

    assert {len(patients[number]) for number in numbers} == {1}
    assert len(replay.resources["Patient"]) == len(numbers)


def test_what_admissions_stated_of_a_patient_stands(replay: Replay) -> None:
    """Patients who were admitted are sure; those who only had results are provisional."""
    admitted = {
        message["PID"][3].split("^")[0] for message in replay.messages if _type(message) == "ADT"
    }
    for patient in replay.resources["Patient"]:
        numbers = {one["value"] for one in patient["identifier"]}
        tags = patient["meta"].get("tag", [])

        assert bool(tags) is not bool(numbers & admitted or "link" in patient)


def test_each_visit_is_one_encounter_that_is_open(replay: Replay) -> None:
    """Admissions and their results share the visit; the stream discharges nobody."""
    numbers = {
        message["PV1"][19].split("^")[0] for message in replay.messages if "PV1" in message
    } - {""}

    visits = replay.numbered("Encounter")
    for number in numbers:
        (visit,) = visits[number]
        assert visit["status"] == "in-progress"
        assert "end" not in visit["period"]


def test_the_last_word_on_each_result_stands(replay: Replay) -> None:
    """Each report of the stream has the status of the last message about it."""
    statuses = {"F": "final", "P": "preliminary", "C": "corrected"}
    last = {
        message["OBR"][3].split("^")[0]: message["OBR"][25]
        for message in replay.messages
        if _type(message) == "ORU"
    }

    reports = replay.numbered("DiagnosticReport")
    for number, status in last.items():
        (report,) = reports[number]
        assert report["status"] == statuses[status]
        assert report["result"]


def test_the_merge_is_applied(replay: Replay) -> None:
    """The retired patient points to the survivor and back."""
    (merge,) = [message for message in replay.messages if "MRG" in message]
    patients = replay.numbered("Patient")
    (survivor,) = patients[merge["PID"][3].split("^")[0]]
    (retired,) = patients[merge["MRG"][1].split("^")[0]]

    assert (survivor["active"], retired["active"]) == (True, False)
    assert retired["link"] == [
        {"other": {"reference": f"Patient/{survivor['id']}"}, "type": "replaced-by"}
    ]


def test_all_of_it_derives_again(replay: Replay) -> None:
    """Every bundle, version and leaf is what fsck computes from what was received."""
    book = PostgresLogBook(replay.database)
    while sequence(book=book, signer=SIGNER, clock=CLOCK, origin=SIGNER.name):
        pass

    done = fsck(
        stored=PostgresStored(replay.database),
        book=book,
        verifiers=[VerifierKey.parse(SIGNER.verifier_key)],
        transaction=transaction_differs,
        progress=lambda _stage, _done: None,
    )

    assert (done.difference, done.other_rules) == (None, {})


@pytest.mark.parametrize(("workers", "limit"), [(1, 37), (3, 50)], ids=["other-size", "three"])
def test_size_of_batches_and_number_of_workers_change_nothing(
    replay: Replay, raws: list[bytes], workers: int, limit: int
) -> None:
    """The present resources are the same bytes, however the work was divided."""
    again = _replayed(replay.database, raws, workers=workers, limit=limit)

    assert Counter(kind for kind, _ in again) == Counter(kind for kind, _ in replay.bodies)
    assert again == replay.bodies


def _replayed(database: Database, raws: list[bytes], *, workers: int, limit: int) -> Bodies:
    """From an empty database to the present resources."""
    _empty(database)
    entropy, dialect = _SharedEntropy(), Hl7v2()
    for start in range(0, len(raws), GROUP):
        group = [
            Inbound(raw=raw, feed="journey", number=start + number)
            for number, raw in enumerate(raws[start : start + GROUP])
        ]
        receive(
            group, dialect=dialect, intake=PostgresIntake(database), clock=CLOCK, entropy=entropy
        )
    threads = [
        threading.Thread(target=_work, args=(database, entropy, limit)) for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    query = text(
        "SELECT r.type, r.id, v.body FROM resource AS r JOIN resource_version AS v"
        " USING (type, id, version) WHERE NOT r.deleted"
    )
    with database.unit():
        rows = database.connection.execute(query)
        return {(kind, name): bytes(body) for kind, name, body in rows}


def _work(database: Database, entropy: CountedEntropy, limit: int) -> None:
    """One worker, until the queue is empty."""
    while _count(database, "lane_queue"):
        _project(database, entropy, limit=limit)


def _project(database: Database, entropy: CountedEntropy, *, limit: int) -> Projected:
    versions = PostgresVersions(database)
    return project(versions=versions, clock=CLOCK, entropy=entropy, limit=limit)


def _empty(database: Database) -> None:
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    with database.unit():
        names = database.connection.execute(text(tables)).scalars().all()
        listed = ", ".join(f'"{name}"' for name in names)
        database.connection.execute(text(f"TRUNCATE {listed} RESTART IDENTITY"))


def _count(database: Database, table: str) -> int:
    with database.unit():
        return int(database.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - names of this file


def _type(message: dict[str, list[str]]) -> str:
    return message["MSH"][8].split("^")[0]
