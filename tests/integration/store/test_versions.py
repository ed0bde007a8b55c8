"""Projection on a real PostgreSQL: lanes under several workers, locks, index, stalls."""

import threading

from sqlalchemy import text

from bridge.core.record.canon import parse
from bridge.flows.project import Projected, project
from bridge.flows.receive import Inbound, receive
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.versions import PostgresVersions
from tests.fakes.bundles import bundle, observation, patient, practitioner, removal
from tests.fakes.dialect import LineDialect, line
from tests.fakes.sources import CountedEntropy, FixedClock

ENTROPY = CountedEntropy()
NOTHING = Projected(records=0, versions=0, stalled=0)


def store(database: Database, *records: tuple[str, str]) -> list[str]:
    """Receive records given as (lanes, bundle); their ids in order."""
    raws = [line(str(i), lanes=lanes, bundle=text) for i, (lanes, text) in enumerate(records)]
    received = receive(
        [Inbound(raw=raw, feed="test/1", number=i) for i, raw in enumerate(raws)],
        dialect=LineDialect(),
        intake=PostgresIntake(database),
        clock=FixedClock(),
        entropy=ENTROPY,
    )
    return [one.record for one in received]


def run(database: Database, limit: int = 200) -> Projected:
    """One call of one worker."""
    versions = PostgresVersions(database)
    return project(versions=versions, clock=FixedClock(), entropy=ENTROPY, limit=limit)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    """What stands in the database."""
    with database.unit():
        return [tuple(row) for row in database.connection.execute(text(query))]


def test_record_becomes_versions_index_revision_and_leaf(clean: Database) -> None:
    """All of it stands together, and the record has left its lanes."""
    (record,) = store(clean, ("p1", bundle(patient("a"), observation("o", "a"))))

    done = run(clean)

    assert done == Projected(records=1, versions=2, stalled=0)
    assert rows(clean, "SELECT type, id, version, deleted FROM resource ORDER BY type") == [
        ("Observation", "o", 1, False),
        ("Patient", "a", 1, False),
    ]
    (body,) = rows(clean, "SELECT body FROM resource_version WHERE type = 'Patient'")[0]
    assert isinstance(body, bytes)
    assert parse(body) == {
        "id": "a",
        "meta": {"lastUpdated": "2026-11-22T14:00:00.000000Z", "versionId": "1"},
        "resourceType": "Patient",
    }
    assert rows(clean, "SELECT id FROM index_token WHERE param = 'status'") == [("o",)]
    assert rows(clean, "SELECT kind, subject FROM leaf_queue ORDER BY id") == [
        (1, record),
        (6, rows(clean, "SELECT id FROM revision")[0][0]),
    ]
    assert rows(clean, "SELECT * FROM lane_queue") == []
    assert run(clean) == NOTHING


def test_index_follows_the_newest_version(clean: Database) -> None:
    """Rows of an older version are gone, also after a deletion."""
    store(clean, ("p1", bundle(observation("o", "a", "preliminary"))))
    run(clean)
    store(
        clean,
        ("p1", bundle(observation("o", "a", "final"))),
        ("p1", bundle(observation("o", "a", "amended"))),
    )

    run(clean)
    amended = rows(clean, "SELECT value FROM index_token WHERE param = 'status'")
    store(clean, ("p1", bundle(removal("Observation/o"))))
    run(clean)

    assert amended == [("amended",)]
    assert rows(clean, "SELECT value FROM index_token WHERE id = 'o'") == []
    assert rows(clean, "SELECT version, deleted FROM resource") == [(4, True)]


def test_lane_order_survives_small_batches(clean: Database) -> None:
    """Whatever the limit, the last record of a lane wins."""
    genders = ["male", "female", "other", "male"] * 3
    store(
        clean,
        *((f"p{i % 2}", bundle(patient(f"a{i % 2}", gender=g))) for i, g in enumerate(genders)),
    )

    while run(clean, limit=1) != NOTHING:
        pass

    bodies = rows(clean, "SELECT id, version, body FROM resource_version ORDER BY id, version")
    seen = [(str(name), body) for name, _, body in bodies]
    for lane in (0, 1):
        found = [
            parse(body)["gender"]  # type: ignore[index,call-overload]  # objects, made above
            for name, body in seen
            if name == f"a{lane}" and isinstance(body, bytes)
        ]
        assert found == genders[lane::2]


def test_lane_of_another_worker_is_left_alone(clean: Database) -> None:
    """What another transaction holds is skipped without waiting, with a merge that needs it."""
    store(
        clean,
        ("held", bundle(patient("a"))),
        ("free,held", bundle(patient("b"))),
        ("free", bundle(patient("c"))),
        ("other", bundle(patient("d"))),
    )
    other = Database(clean.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))

    with other.unit():
        PostgresVersions(other).claim_lanes(["held"])
        first = run(clean)
    second = run(clean)
    other.close()

    assert first == Projected(records=1, versions=1, stalled=0)
    assert second == Projected(records=3, versions=3, stalled=0)


def test_workers_share_practitioners_without_deadlock(clean: Database) -> None:
    """Four workers over thirty lanes that all touch the same people apply each record once."""
    shared = [practitioner(f"dr{i}") for i in range(6)]
    records = []
    for n in range(150):
        people = [
            {**one, "gender": ("male", "female")[(n + i) % 2]} for i, one in enumerate(shared)
        ]
        if n % 2:
            people.reverse()
        records.append(
            (f"p{n % 30}", bundle(patient(f"a{n % 30}", birthDate=str(1900 + n)), *people))
        )
    store(clean, *records)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while rows(clean, "SELECT 1 FROM lane_queue LIMIT 1"):
                run(clean, limit=7)
        except BaseException as error:  # noqa: BLE001  carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert rows(clean, "SELECT count(*) FROM revision") == [(150,)]
    gaps = "SELECT type, id FROM resource_version GROUP BY 1, 2 HAVING max(version) <> count(*)"
    assert rows(clean, gaps) == []
    newest = "SELECT body FROM resource_version WHERE id = 'a29' ORDER BY version DESC LIMIT 1"
    assert b'"birthDate":"2049"' in rows(clean, newest)[0][0]  # type: ignore[operator]  # bytea


def test_bundle_of_very_many_patients_takes_one_lock(clean: Database) -> None:
    """PostgreSQL has a few thousand for everybody; meanwhile nothing else is applied."""
    store(clean, ("p1", bundle(patient("a"))))
    writer = PostgresVersions(clean)
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
    beside: list[Projected] = []

    with clean.unit():
        writer.claim_lanes([f"lane-{number}" for number in range(10_000)])
        held = clean.connection.execute(text(locks)).scalar_one()
        worker = threading.Thread(target=lambda: beside.append(run(clean)))
        worker.start()
        worker.join()

    assert held == 1
    assert beside == [NOTHING]
    assert run(clean) == Projected(records=1, versions=1, stalled=0)


def test_stalled_lane_waits_for_a_person_and_then_runs(clean: Database) -> None:
    """Its reason is kept, a merge behind it waits too, others run on, and resuming releases all."""
    bad, *_ = store(
        clean,
        ("p1", bundle({"resourceType": "Patient"})),
        ("p1,p2", bundle(patient("merged"))),
        ("p2", bundle(patient("behind"))),
        ("p3", bundle(patient("free"))),
    )

    first, second = run(clean), run(clean)

    versions = PostgresVersions(clean)
    with clean.unit():
        (stalled,) = versions.stalled()
    assert first == Projected(records=1, versions=1, stalled=1)
    assert second == NOTHING
    assert (stalled.lane, stalled.record, stalled.waiting) == ("p1", bad, 2)
    assert stalled.code == "entry-without-identity"
    with clean.unit():
        versions.keep([])
        clean.connection.execute(text("DELETE FROM lane_queue WHERE seq = 1"))
        assert versions.resume("p1")
        assert not versions.resume("p1")
    assert run(clean) == Projected(records=2, versions=2, stalled=0)


def test_row_that_postgresql_cannot_hold_stalls_its_record_alone(clean: Database) -> None:
    """A NUL in a resource id is legal JSON and no text of PostgreSQL: neighbours are applied."""
    store(
        clean,
        ("p1", bundle(patient("a"))),
        ("p2", bundle(patient("nul\0"))),
        ("p3", bundle(patient("c"))),
    )

    done = run(clean)

    assert done == Projected(records=2, versions=2, stalled=1)
    assert rows(clean, "SELECT lane, code FROM lane_stalled") == [("p2", "store-refused")]


def test_backlog_behind_a_stalled_merge_starves_nobody(clean: Database) -> None:
    """The survivor's own lane is not stalled, and yet all of it waits at the head of the queue."""
    store(
        clean,
        ("p1", bundle({"resourceType": "Patient"})),
        ("p1,p2", bundle(patient("merged"))),
        *(("p2", bundle(patient(f"a{i}"))) for i in range(50)),
        ("p3", bundle(patient("z"))),
    )
    assert run(clean, limit=1).stalled == 1

    done = run(clean, limit=1)

    assert done == Projected(records=1, versions=1, stalled=0)


def test_backlog_behind_a_stall_starves_nobody(clean: Database) -> None:
    """Hundreds of records behind a stalled one do not hide the next patient's."""
    store(clean, ("p1", bundle({"resourceType": "Patient"})))
    run(clean)
    store(
        clean, *(("p1", bundle(patient(f"a{i}"))) for i in range(50)), ("p2", bundle(patient("z")))
    )

    done = run(clean, limit=5)

    assert done == Projected(records=1, versions=1, stalled=0)
