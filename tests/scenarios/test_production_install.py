"""What a hospital installs: the locked dependencies, and neither the extra nor what tests bring."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.core.proof.report import Level
from tests.brokers import Redis
from tests.scenarios.engine import letters, send_all
from tests.scenarios.fleet import start_fleet

ROOT = Path(__file__).resolve().parents[2]
FRESH = ("--reinstall-package", "fhir-anchor")
"""uv takes a wheel of ours from its cache as long as pyproject.toml is the same."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`fhir-anchor` of an environment made as the Dockerfile makes it, without an extra."""
    made = tmp_path_factory.mktemp("production") / "venv"
    sync = [str(Path(sys.executable).with_name("uv")), "sync", "--frozen", "--no-dev"]
    subprocess.run(
        [*sync, "--no-editable", *FRESH, "--quiet", "--python", sys.executable],
        cwd=ROOT,
        check=True,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(made)},
    )
    return made / "bin" / "fhir-anchor"


@pytest.fixture
def broker() -> Iterator[Redis]:
    """A Redis that runs."""
    made = Redis(password="of-the-hospital")
    made.start()
    yield made
    made.close()


def test_every_process_of_the_production_shape_does_its_work(
    installed: Path, broker: Redis
) -> None:
    """api, mllp, worker and beat over PostgreSQL, Redis and a chain of others: sent, proved."""
    with start_fleet(size=1, broker=broker, program=(str(installed),)) as fleet:
        send_all(fleet.mllp, list(letters("BARE", 3)))
        (first, *others) = fleet.wait_final()
        report = fleet.verify(*fleet.proof(first["record"]))

    assert len(others) == 2
    assert report.level >= Level.SIGNED


def test_what_only_the_extra_brings_is_asked_for_by_name(installed: Path, tmp_path: Path) -> None:
    """`devchain` and `up` without the extra: one line that says what to install."""
    for command in ("devchain", "up"):
        done = subprocess.run(
            [str(installed), command, "--data", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
        )

        assert done.returncode == 1, done.stderr
        assert "install fhir-anchor[embedded]" in done.stderr
        assert "Traceback" not in done.stderr
