"""A batch is kept whole or not at all, wherever the power goes."""

import os
from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.embedded.blockfile import BlockFile

BATCHES = tuple(((b"key %d" % n, b"value %d" % n), (b"k", b"")) for n in range(3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three batches."""
    made = tmp_path / "blocks"
    with BlockFile(made) as file:
        for batch in BATCHES:
            file.append(batch)
    return made


def read(path: Path) -> tuple[object, ...]:
    """All batches in the file."""
    with BlockFile(path) as file:
        return file.batches


def test_batches_come_back_in_order(path: Path) -> None:
    """What was appended is what is read."""
    assert read(path) == BATCHES


def test_file_cut_anywhere_keeps_every_whole_batch(path: Path) -> None:
    """A power cut in the middle of a write loses that write alone, at every byte."""
    whole = path.read_bytes()

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        kept = read(path)
        with BlockFile(path) as file:
            file.append(BATCHES[0])

        assert kept == BATCHES[: len(kept)]
        assert read(path) == (*kept, BATCHES[0])


def test_disk_that_is_full_in_mid_batch_costs_that_batch_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it was written: it is cut off again, and what comes when there is room is kept."""
    write = os.write
    with BlockFile(path) as file:
        monkeypatch.setattr(os, "write", lambda to, data: write(to, data[: len(data) // 2]))
        with pytest.raises(BridgeError, match="free disk space"):
            file.append(BATCHES[0])
        monkeypatch.undo()
        file.append(BATCHES[1])

    assert read(path) == (*BATCHES, BATCHES[1])


def test_garbage_in_the_last_batch_is_cut_off(path: Path) -> None:
    """Pages that never reached the disk read as something else: the checksum sees it."""
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)

    assert read(path) == BATCHES[:2]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 4096])
def test_zeros_behind_the_last_batch_are_cut_off(path: Path, count: int) -> None:
    """The file had grown, its bytes had not come: what is written next stands where it belongs."""
    path.write_bytes(path.read_bytes() + bytes(count))

    assert read(path) == BATCHES
    with BlockFile(path) as file:
        file.append(BATCHES[0])
    assert read(path) == (*BATCHES, BATCHES[0])


def test_damage_before_the_last_batch_is_refused(path: Path) -> None:
    """That is no torn write; going on would drop blocks that were answered for."""
    damaged = bytearray(path.read_bytes())
    damaged[40] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(BridgeError) as refused:
        read(path)

    assert str(refused.value) == (
        "the dev chain's file does not match its checksums (blocks, byte 23) - "
        "restore the file, or start a new dev chain in an empty folder"
    )


def test_other_file_is_not_overwritten(tmp_path: Path) -> None:
    """Somebody's notes in the data folder stay."""
    path = tmp_path / "blocks"
    path.write_bytes(b"my notes")

    with pytest.raises(BridgeError, match="byte 0"):
        read(path)
    assert path.read_bytes() == b"my notes"


def test_second_process_is_refused(path: Path) -> None:
    """Two writers would interleave two histories."""
    with BlockFile(path), pytest.raises(BridgeError) as refused:
        BlockFile(path)

    assert str(refused.value) == (
        "another process runs this dev chain (blocks) - "
        "use its URL, stop it, or choose another data folder"
    )
