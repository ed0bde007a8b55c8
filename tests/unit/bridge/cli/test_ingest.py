"""Files, folders and batches: counted, sent once, gone on with after a cut."""

import json
from pathlib import Path

import pytest
import typer

from adapters.hl7v2.batch import split
from bridge.cli.ingest import files_of, ingest
from bridge.cli.journal import Journal, journal_of
from bridge.core.errors import BridgeError
from tests.fakes.feed import adt
from tests.fakes.memory_node import MemoryNode


def run(paths: list[Path], node: MemoryNode, folder: Path) -> None:
    """One run of the command."""
    with Journal(journal_of(folder, "http://node", paths)) as journal:
        ingest(paths, node, split, journal)


def lines(out: str) -> list[dict[str, str]]:
    """What the command printed."""
    return [json.loads(line) for line in out.splitlines()]


def batch(*control_ids: str, claimed: int | None = None) -> bytes:
    """A file of one batch."""
    messages = b"".join(adt(one) for one in control_ids)
    count = len(control_ids) if claimed is None else claimed
    return b"FHS|^~\\&\rBHS|^~\\&\r" + messages + b"BTS|%d\rFTS|1\r" % count


def test_batch_is_sent_message_by_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each message of a batch is an input of its own, with its number."""
    file = tmp_path / "b.hl7"
    file.write_bytes(batch("1", "2"))
    node = MemoryNode()

    run([file], node, tmp_path / "data")

    assert node.posted == [adt("1"), adt("2")]
    printed = lines(capsys.readouterr().out)
    assert [(one["input"], one["status"]) for one in printed] == [
        (f"{file}#1", "stored"),
        (f"{file}#2", "stored"),
    ]


def test_trailer_that_counts_more_than_there_is_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A batch that lost messages on its way is reported beside those that came."""
    file = tmp_path / "b.hl7"
    file.write_bytes(batch("1", "2", claimed=3))

    run([file], MemoryNode(), tmp_path / "data")

    first, *rest = lines(capsys.readouterr().out)
    assert first["status"] == "finding"
    assert "the trailer says 3 messages in the batch, there are 2" in first["ack"]
    assert [one["status"] for one in rest] == ["stored", "stored"]


def test_run_that_was_cut_off_sends_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second run starts where the first one stopped, in the middle of a file."""
    file = tmp_path / "b.hl7"
    file.write_bytes(batch("1", "2", "3"))
    node = MemoryNode()
    node.down_after = 2

    with pytest.raises(BridgeError, match="the node did not answer"):
        run([file], node, tmp_path / "data")
    node.down_after = None
    capsys.readouterr()
    run([file], node, tmp_path / "data")

    assert node.posted == [adt("1"), adt("2"), adt("3")]
    assert [one["status"] for one in lines(capsys.readouterr().out)] == [
        "sent-before",
        "sent-before",
        "stored",
    ]


def test_run_that_is_complete_leaves_no_journal(tmp_path: Path) -> None:
    """Sending the same files again later is a new run: the node says that it has them."""
    file = tmp_path / "b.hl7"
    file.write_bytes(adt("1"))
    node = MemoryNode()

    for _ in range(2):
        run([file], node, tmp_path / "data")

    assert node.posted == [adt("1")] * 2
    assert list((tmp_path / "data").iterdir()) == []


def test_refused_message_is_named_and_the_rest_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad message of a file costs an exit code, not the others."""
    file = tmp_path / "b.hl7"
    file.write_bytes(batch("1", "BAD", "3"))

    with pytest.raises(typer.Exit):
        run([file], MemoryNode(), tmp_path / "data")

    statuses = [one["status"] for one in lines(capsys.readouterr().out)]
    assert statuses == ["stored", "quarantined", "stored"]


def test_a_folder_gives_its_message_files_in_order_of_name(tmp_path: Path) -> None:
    """Pictures and notes beside the messages are left alone."""
    for name in ("b.hl7", "a.json", "c.png", "sub/d.HL7"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    names = [path.name for path in files_of([tmp_path])]

    assert names == ["a.json", "b.hl7", "d.HL7"]


def test_a_file_that_is_named_is_sent_whatever_its_name(tmp_path: Path) -> None:
    """The person knows better than the suffix."""
    odd = tmp_path / "message.out"
    odd.write_text("MSH|")

    assert files_of([odd]) == [odd]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A typing error is one line, not a traceback."""
    with pytest.raises(BridgeError, match=r"no such file or folder .*absent"):
        files_of([tmp_path / "absent"])
