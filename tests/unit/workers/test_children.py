"""Children of `up`: what dies comes back, what cannot start is named, a stop is told once."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from workers.children import Child, Children

COUNTS_SIGNALS = """
import pathlib, signal, sys, time
told = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: told.open("a").write("T"))
told.open("a").write("S")
while told.read_text().count("T") == 0:
    time.sleep(0.02)
time.sleep(0.3)
"""


@pytest.fixture
def restarts() -> list[str]:
    """Names of what was started again."""
    return []


@pytest.fixture
def children(restarts: list[str]) -> Iterator[Children]:
    """Stopped at the end, whatever the test did."""
    made = Children(on_restart=restarts.append)
    yield made
    made.stop()


def _child(folder: Path, script: str, *, ready: Callable[[], bool] = lambda: True) -> Child:
    return Child(
        name="one",
        program=(sys.executable, "-c", script),
        arguments=(str(folder / "told"),),
        environment={},
        log=folder / "one.log",
        ready=ready,
    )


def _until(true: Callable[[], bool], otherwise: str) -> None:
    limit = time.monotonic() + 10
    while not true():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.02)


def test_what_dies_is_started_again(
    children: Children, restarts: list[str], tmp_path: Path
) -> None:
    """Kill -9 of a child brings another one."""
    told = tmp_path / "told"
    child = _child(tmp_path, COUNTS_SIGNALS, ready=told.exists)
    children.start(child)
    children.wait(within_s=10)
    children.watch()

    assert child.process is not None
    child.process.kill()

    _until(lambda: told.read_text() == "SS", "it was not started again")
    assert restarts == ["one"]


def test_a_child_that_was_started_again_is_told_to_stop_once(
    children: Children, tmp_path: Path
) -> None:
    """A listener takes a second signal for an order to drop what it has read."""
    told = tmp_path / "told"
    child = _child(tmp_path, COUNTS_SIGNALS, ready=told.exists)
    children.start(child)
    children.wait(within_s=10)
    children.watch()
    assert child.process is not None
    child.process.kill()
    _until(lambda: told.read_text() == "SS", "it was not started again")

    children.stop()

    assert told.read_text() == "SST"


def test_what_cannot_start_is_not_tried_without_end(
    children: Children, restarts: list[str], tmp_path: Path
) -> None:
    """The pause doubles: a few tries in the first seconds, not hundreds."""
    children.start(_child(tmp_path, "raise SystemExit(3)"))
    children.watch()

    _until(lambda: len(restarts) == 2, "it was not tried again")
    time.sleep(1.0)

    assert len(restarts) <= 3


def test_a_child_that_ends_before_it_serves_is_named(children: Children, tmp_path: Path) -> None:
    """The last line of its log says why."""
    script = "import sys; sys.stderr.write('the port is busy\\n'); raise SystemExit(1)"
    children.start(_child(tmp_path, script, ready=lambda: False))

    with pytest.raises(BridgeError) as refused:
        children.wait(within_s=10)

    assert str(refused.value) == (
        f"the one process did not start: the port is busy ({tmp_path / 'one.log'}) - "
        "mend what it says and start again"
    )


def test_a_child_that_never_serves_is_given_up(children: Children, tmp_path: Path) -> None:
    """The wait has a bound."""
    children.start(_child(tmp_path, "import time; time.sleep(60)", ready=lambda: False))

    with pytest.raises(BridgeError, match="it printed nothing"):
        children.wait(within_s=0.3)
