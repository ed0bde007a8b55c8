"""A watched folder: taken when it stands still, moved when dealt with, kept when it is not."""

import json
import threading
from pathlib import Path

import pytest

from adapters.hl7v2.batch import split
from bridge.cli.watch_folder import Seen, look, watch_folder
from bridge.core.errors import BridgeError
from tests.fakes.feed import adt
from tests.fakes.memory_node import MemoryNode


class Watched:
    """A folder, a node, and looks at them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.node, self.seen = folder, MemoryNode(), Seen()

    def look(self) -> list[str]:
        """One look; where each file went."""
        stop = threading.Event()
        moved = list(look(self.folder, self.node, split, self.seen, stop=stop))
        return [str(one.path.relative_to(self.folder)) for one in moved]

    def names(self, inside: str = ".") -> list[str]:
        """The files there."""
        place = self.folder / inside
        return sorted(p.name for p in place.iterdir() if p.is_file()) if place.is_dir() else []


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """Nothing in it yet."""
    return Watched(tmp_path)


def test_file_is_taken_only_when_it_stands_still(watched: Watched) -> None:
    """A file that still grows is not read half."""
    file = watched.folder / "a.hl7"
    file.write_bytes(adt("1")[:20])
    first = watched.look()
    file.write_bytes(adt("1"))
    second = watched.look()
    third = watched.look()

    assert (first, second, third) == ([], [], ["done/a.hl7"])
    assert watched.node.posted == [adt("1")]


def test_file_with_a_refused_message_goes_to_refused_with_its_reasons(watched: Watched) -> None:
    """Somebody finds the file and what was wrong side by side."""
    (watched.folder / "a.hl7").write_bytes(adt("1") + adt("BAD"))
    watched.look()

    moved = watched.look()

    assert moved == ["refused/a.hl7"]
    result = (watched.folder / "refused" / "a.hl7.result").read_text().splitlines()
    assert [json.loads(line)["status"] for line in result] == ["stored", "quarantined"]
    assert watched.names() == []


def test_second_file_of_a_name_replaces_nothing(watched: Watched) -> None:
    """Senders reuse names every day."""
    for control_id in ("1", "2"):
        (watched.folder / "a.hl7").write_bytes(adt(control_id))
        watched.look()
        watched.look()

    assert watched.names("done") == ["a.2.hl7", "a.2.hl7.result", "a.hl7", "a.hl7.result"]


def test_node_that_goes_away_in_mid_file_keeps_the_file(watched: Watched) -> None:
    """What was answered is not sent again when it is back."""
    (watched.folder / "a.hl7").write_bytes(adt("1") + adt("2"))
    watched.node.down_after = 1
    watched.look()

    with pytest.raises(BridgeError, match="did not answer"):
        watched.look()
    waiting = watched.names()
    watched.node.down_after = None
    moved = watched.look()

    assert "a.hl7" in waiting
    assert moved == ["done/a.hl7"]
    assert watched.node.posted == [adt("1"), adt("2")]


def test_other_suffixes_are_left_alone(watched: Watched) -> None:
    """A writer that is not ready uses another name."""
    (watched.folder / "a.hl7.part").write_bytes(adt("1"))

    looks = watched.look() + watched.look()

    assert looks == []


def test_watching_outlives_a_node_that_is_down(watched: Watched) -> None:
    """It says so once and goes on looking."""
    (watched.folder / "a.hl7").write_bytes(adt("1"))
    watched.node.down_after = 0
    stop, said = threading.Event(), list[str]()

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("the node"):
            watched.node.down_after = None
        else:
            stop.set()

    watch_folder(watched.folder, watched.node, split, every_s=0.01, stop=stop, say=say)

    assert [text.split(" (")[0] for text in said] == [
        "the node did not answer",
        f"{watched.folder / 'done' / 'a.hl7'}: 1 taken, 0 refused",
    ]


def test_folder_that_is_not_there_is_refused(watched: Watched) -> None:
    """A typing error does not watch nothing for ever."""
    with pytest.raises(BridgeError, match="there is no such folder"):
        watch_folder(
            watched.folder / "absent",
            watched.node,
            split,
            every_s=1,
            stop=threading.Event(),
            say=lambda _: None,
        )
