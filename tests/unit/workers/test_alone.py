"""One node a folder, also after the first one was killed."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from workers import alone as module
from workers.alone import alone


def test_a_second_node_is_refused_at_once(tmp_path: Path) -> None:
    """The text says what to do."""
    with alone(tmp_path), pytest.raises(BridgeError) as refused, alone(tmp_path):
        pass

    assert str(refused.value) == (
        f"another node runs on this folder ({tmp_path}) - "
        "stop it first, or choose another folder with --data"
    )


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    """A clean stop leaves nothing to wait for."""
    with alone(tmp_path):
        pass

    with alone(tmp_path) as lock:
        assert lock > 0


def test_children_of_a_killed_node_are_waited_for(tmp_path: Path) -> None:
    """Until they end they hold ports and chain."""
    with alone(tmp_path) as lock:
        child = subprocess.Popen([sys.executable, "-c", _sleep(0.5)], pass_fds=(lock,))
    started = time.monotonic()

    with alone(tmp_path):
        waited = time.monotonic() - started

    assert child.wait() == 0
    assert waited > 0.1


def test_children_that_do_not_end_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait has a bound, and says what it waited for."""
    monkeypatch.setattr(module, "LEFT_OVER_S", 0.2)
    with alone(tmp_path) as lock:
        child = subprocess.Popen([sys.executable, "-c", _sleep(60)], pass_fds=(lock,))

    with (
        pytest.raises(BridgeError, match="processes of an earlier node still run"),
        alone(tmp_path),
    ):
        pass

    child.kill()
    child.wait()


def _sleep(seconds: float) -> str:
    return f"import time; time.sleep({seconds})"
