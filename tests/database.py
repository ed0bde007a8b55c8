"""One embedded PostgreSQL for the session; each test module gets a schema of its own."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.embedded import postgres
from bridge.store.database import Database
from bridge.store.schema import metadata


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders for servers; pytest's own are closed to the user that serves when root runs.

    Each folder's server is stopped at the end, whatever the test did.
    """
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="fhir-anchor-test-")))
        return made[-1]

    yield make
    for folder in made:
        postgres.stop(folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url(server_folder: Callable[[], Path]) -> str:
    """A server that ends with the session."""
    return postgres.start(server_folder())


@pytest.fixture(scope="module")
def database_url(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh, empty schema, first on the search path of every connection to this URL."""
    name = "t_" + request.module.__name__.rpartition(".")[2]
    admin = Database(postgres_url, pool_size=1)
    with admin.unit():
        admin.connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
        admin.connection.execute(text(f"CREATE SCHEMA {name}"))
    yield f"{postgres_url}&options=-csearch_path%3D{name}"
    with admin.unit():
        admin.connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    admin.close()


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """All tables, made once for the module; a test that needs them empty asks for `clean`."""
    made = Database(database_url)
    metadata.create_all(made.engine)
    yield made
    made.close()


@pytest.fixture
def clean(database: Database) -> Database:
    """The module's database with every table emptied."""
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with database.unit():
        database.connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    return database
