"""One embedded PostgreSQL for the session; each test module gets a schema of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.embedded import postgres
from bridge.store.database import Database
from bridge.store.schema import metadata


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that ends with the session."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    yield postgres.start(folder)
    postgres.stop(folder)


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
