"""The folder queue: whole files, one a task, nothing that a crash leaves behind stops it."""

import json
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu.connection import Connection

from bridge.embedded.folderqueue import Channel, Transport


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    """A channel of a connection on a fresh folder."""
    with Connection(transport=Transport, transport_options={"folder": str(tmp_path)}) as connection:
        yield connection.default_channel


def _wake(task: str, number: int = 0) -> dict[str, object]:
    return {"body": number, "headers": {"task": task}, "properties": {}}


def test_what_was_put_is_got_once(channel: Channel) -> None:
    """A wake-up reaches one worker."""
    channel._put("celery", _wake("project", 7))

    assert channel._get("celery")["body"] == 7
    with pytest.raises(Empty):
        channel._get("celery")


def test_wake_ups_of_one_task_are_one(channel: Channel) -> None:
    """A day without a worker leaves four files, not a million."""
    for number in range(1000):
        channel._put("celery", _wake("project", number))

    assert channel._size("celery") == 1
    assert channel._get("celery")["body"] == 999


def test_the_oldest_comes_first(channel: Channel) -> None:
    """A task that is woken often does not starve one that is woken seldom."""
    for task in ("watch", "anchor", "project"):
        channel._put("celery", _wake(task))

    seen = [channel._get("celery")["headers"]["task"] for _ in range(3)]

    assert seen == ["watch", "anchor", "project"]


def test_queues_do_not_see_each_other(channel: Channel) -> None:
    """`celery` is not a beginning of `celery2`."""
    channel._put("celery2", _wake("project"))

    assert channel._size("celery") == 0


@pytest.mark.parametrize("left", [b"", b'{"body":'], ids=["empty", "torn"])
def test_a_torn_file_is_skipped(channel: Channel, tmp_path: Path, left: bytes) -> None:
    """What a power cut left is removed and the next wake-up is taken."""
    (tmp_path / "celery~anchor").write_bytes(left)
    channel._put("celery", _wake("project"))

    assert channel._get("celery")["headers"]["task"] == "project"
    assert channel._size("celery") == 0


def test_a_draft_is_not_a_message(channel: Channel, tmp_path: Path) -> None:
    """A sender that was killed while it wrote has sent nothing."""
    (tmp_path / ".celery~project.1.1").write_text(json.dumps(_wake("project")))

    with pytest.raises(Empty):
        channel._get("celery")


def test_purge_empties_it(channel: Channel) -> None:
    """It says how many there were."""
    channel._put("celery", _wake("project"))
    channel._put("celery", _wake("watch"))

    assert channel._purge("celery") == 2
    assert channel._size("celery") == 0
