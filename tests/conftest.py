"""What every test may ask for: the shared samples, and programs beyond PyPI."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

import bridge.chain.evm_libraries  # noqa: F401  before any other import of them: it keeps a limit

pytest_plugins = [
    "tests.anvil",
    "tests.database",
    "tests.devchain",
    "tests.scenarios.node",
    "tests.served_api",
    "tests.served_mllp",
    "tests.stamping",
]

# A busy machine is no failure of ours: no example has a deadline in any of them.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("nightly", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared_root() -> Path:
    """Worktrees of one checkout lie deeper; the samples are beside the checkout."""
    for parent in Path(__file__).resolve().parents:
        candidate = parent / "shared"
        if (candidate / "corpus").is_dir():
            return candidate
    return SHARED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of published samples and vectors; a user's clone has none."""
    root = _shared_root()
    if not root.is_dir():
        pytest.skip("../shared is absent: published samples and vectors are not part of a clone")
    return root


def require_program(name: str) -> str:
    """Path of a program beyond PyPI; absent, the test skips, or fails in CI."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed: this test needs the real program"
        if os.environ.get("FHIR_ANCHOR_TEST_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found
