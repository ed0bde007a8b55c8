"""Search rows that another version made: told, not accused, and made again beside a node."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bridge.core.search.index import RULES
from bridge.flows.fsck.served import currents
from bridge.flows.reindex import reindex
from bridge.store.database import Database
from bridge.store.stored import PostgresStored
from bridge.store.versions import PostgresVersions
from tests.fakes.bundles import bundle, observation, patient, removal
from tests.integration.store.test_versions import rows, run, store
from workers.main import app

OTHER = "fhir-anchor/index/0"
STATES = "SELECT value FROM index_token WHERE param = 'status' ORDER BY 1"


def _older(database: Database) -> None:
    """An index as other rules made it: a row is missing that these rules make."""
    with database.unit():
        database.connection.execute(text("DELETE FROM index_token WHERE param = 'status'"))
        database.connection.execute(text("UPDATE resource SET indexed_by = :name"), {"name": OTHER})


def index_of(database: Database) -> tuple[list[str], dict[str, int]]:
    """What fsck says of the index: places, and counts by the name of other rules."""
    other: Counter[str] = Counter()
    found = currents(PostgresStored(database), lambda _stage, _done: None, other)
    return [one.where for one in found], dict(other)


def _reindex(database: Database, *, every: bool = False) -> list[int]:
    seen: list[int] = []
    reindex(versions=PostgresVersions(database), progress=seen.append, every=every)
    return seen


def test_rows_of_other_rules_are_counted_and_not_accused(clean: Database) -> None:
    """Nobody changed them; the same rows under the name of these rules are a finding."""
    store(clean, ("p", bundle(patient("a"), observation("o", "a"))))
    run(clean)
    assert index_of(clean) == ([], {})

    _older(clean)
    counted = index_of(clean)
    with clean.unit():
        clean.connection.execute(text("UPDATE resource SET indexed_by = :name"), {"name": RULES})
    accused = index_of(clean)

    assert counted == ([], {OTHER: 1})
    assert accused == (["search index of Observation/o"], {})


def test_reindex_makes_the_rows_of_these_rules(clean: Database) -> None:
    """Of what is present; what is deleted has none. A second run has nothing to do."""
    store(
        clean,
        ("p", bundle(observation("o", "a"))),
        ("p", bundle(observation("gone", "a"))),
        ("p", bundle(removal("Observation/gone"))),
    )
    run(clean)
    before = rows(clean, "SELECT * FROM index_token ORDER BY param, value")
    _older(clean)

    done, again = _reindex(clean), _reindex(clean)

    assert (done, again) == ([2], [])
    assert rows(clean, "SELECT * FROM index_token ORDER BY param, value") == before
    assert index_of(clean) == ([], {})


def test_reindex_of_everything_mends_what_somebody_changed(clean: Database) -> None:
    """Rows under the right name are made again only where that is asked for."""
    store(clean, ("p", bundle(observation("o", "a"))))
    run(clean)
    with clean.unit():
        clean.connection.execute(text("UPDATE index_token SET value = 'x'"))

    assert _reindex(clean) == []
    assert _reindex(clean, every=True) == [1]
    assert index_of(clean) == ([], {})


def test_reindex_goes_on_where_it_was_cut_off(clean: Database) -> None:
    """A page that was done is durable by itself."""
    many = [bundle(observation(f"o{n:03}", "a")) for n in range(250)]
    store(clean, *(("p", one) for one in many))
    while run(clean).records:
        pass
    _older(clean)

    class Cut(Exception):  # noqa: N818 - no error of the product
        pass

    def cut(_done: int) -> None:
        raise Cut

    with pytest.raises(Cut):
        reindex(versions=PostgresVersions(clean), progress=cut)
    halfway = rows(clean, f"SELECT count(*) FROM resource WHERE indexed_by = '{OTHER}'")  # noqa: S608
    seen: list[int] = []
    reindex(versions=PostgresVersions(clean), progress=seen.append)

    assert (halfway, seen) == ([(50,)], [50])


def test_reindex_beside_a_projector_leaves_the_newest_rows(clean: Database) -> None:
    """Whoever comes second waits for the other's lock, and then reads what stands there."""
    store(clean, ("p", bundle(observation("o", "a", "preliminary"))))
    run(clean)
    _older(clean)
    store(clean, ("p", bundle(observation("o", "a", "final"))))
    versions = PostgresVersions(clean)
    with versions.unit():
        page = versions.indexed_otherwise(None, 9, every=False)
        versions.current(page)
        beside = threading.Thread(target=run, args=(clean,))
        beside.start()
        beside.join(0.3)
        waits = beside.is_alive()
    beside.join(30)
    _reindex(clean)

    assert waits
    assert rows(clean, STATES) == [("final",)]
    assert index_of(clean) == ([], {})


def test_command_says_what_it_did(
    clean: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`db reindex`, then `fsck` speaks no more of other rules."""
    store(clean, ("p", bundle(patient("a"), observation("o", "a"))))
    run(clean)
    _older(clean)
    (tmp_path / "log.key").touch()
    monkeypatch.setenv("FHIR_ANCHOR__STORE__URL", database_url)

    done = CliRunner().invoke(app, ["db", "reindex", "--data", str(tmp_path)])

    assert (done.exit_code, done.output) == (
        0,
        "indexed again: 2 resources, by fhir-anchor/index/1\n",
    )
