"""A real tlog-tiles log of transparency-dev/tessera 1811ae1a (Apache-2.0), 15 entries."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bridge.core.ids import Digest, LeafIndex, TreeSize
from bridge.core.log.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from bridge.core.log.merkle import leaf_hash, leaf_hashes, verify_consistency, verify_inclusion
from bridge.core.log.tiles import (
    Bundle,
    Tile,
    encode_entries,
    grow,
    parse_entries,
    path_of,
    prove_consistency,
    prove_inclusion,
    root_at,
)

ORIGIN = "example.com/log/testdata"
KEY = VerifierKey.parse(f"{ORIGIN}+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")


@pytest.fixture
def log(shared: Path) -> Path:
    """The folder as a client would fetch it."""
    return shared / "vectors/tlog-tiles-tessera/testdata/log"


def _heads(log: Path) -> list[Checkpoint]:
    notes = [(log / f"checkpoint.{size}").read_bytes() for size in range(16)]
    return [open_checkpoint(note, [KEY], ORIGIN) for note in notes]


def _read(log: Path, tiles: Sequence[Tile]) -> Mapping[Tile, bytes]:
    return {tile: (log / path_of(tile)).read_bytes() for tile in tiles}


def test_every_checkpoint_opens_and_fits_its_tiles(log: Path) -> None:
    """All 16 signatures verify, and the tiles of each size give its root."""
    for size, head in enumerate(_heads(log)):
        assert head.size == size
        assert root_at(head.size, lambda tiles: _read(log, tiles)) == head.root


def test_every_leaf_is_included_and_every_pair_consistent(log: Path) -> None:
    """120 inclusion proofs and 120 consistency proofs out of the published tiles verify."""
    heads = _heads(log)
    leaves = parse_entries((log / path_of(Bundle(n=0, width=15))).read_bytes())

    for head in heads[1:]:
        for index in range(head.size):
            path = prove_inclusion(LeafIndex(index), head.size, lambda tiles: _read(log, tiles))
            hashed = leaf_hash(leaves[index])
            verify_inclusion(hashed, LeafIndex(index), head.size, path, head.root)
        for old in heads[1 : head.size + 1]:
            path = prove_consistency(old.size, head.size, lambda tiles: _read(log, tiles))
            verify_consistency(old.size, head.size, old.root, head.root, path)


def test_our_writer_gives_the_same_bytes(log: Path) -> None:
    """Fed entry by entry, every tile, bundle and checkpoint text is byte-identical."""
    leaves = parse_entries((log / path_of(Bundle(n=0, width=15))).read_bytes())
    assert leaves[:2] == (b"one", b"two")
    tiles: dict[Tile, bytes] = {}
    root: Digest | None = None

    for size in range(1, 16):
        grown = grow(TreeSize(size - 1), tiles, leaf_hashes([leaves[size - 1]]))
        tiles.update(grown.tiles)
        root = grown.root

        assert grown.tiles == _read(log, tuple(grown.tiles))
        bundle = log / path_of(Bundle(n=0, width=size))
        assert encode_entries(leaves[:size]) == bundle.read_bytes()
        text = Checkpoint(origin=ORIGIN, size=grown.size, root=root).encode()
        assert (log / f"checkpoint.{size}").read_bytes().startswith(text + b"\n")
    assert len(tiles) == len(list((log / "tile/0/000.p").iterdir()))
