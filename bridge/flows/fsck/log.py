"""The log over everything: leaves, tiles, head, signed checkpoints."""

from collections.abc import Iterator, Sequence

from bridge.core.errors import BridgeError
from bridge.core.ids import TreeSize
from bridge.core.log.checkpoint import open_checkpoint
from bridge.core.log.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hashes
from bridge.core.log.note import VerifierKey
from bridge.core.log.tiles import WIDTH, Tile, edge_tiles, grow, path_of
from bridge.flows.fsck.finding import PAGE, Difference, Progress
from bridge.ports.logbook import LogBook
from bridge.ports.stored import Stored

__all__ = ["checkpoints", "tiles", "tree"]

LEAVES = 25_600
"""Leaves a read: 100 tiles, 1.3 MB."""


def tree(book: LogBook, progress: Progress) -> Iterator[Difference]:
    """The tree over all leaves, built again: every tile and the head must be it."""
    head = book.head()
    size, root = TreeSize(0), EMPTY_ROOT
    while head is not None and size < head.size:
        end = min(size + LEAVES, head.size)
        try:
            leaves = book.leaves(size, end)
        except BridgeError as error:
            yield Difference(where=f"leaves {size} to {end - 1}", what=error.what)
            return
        grown = grow(size, book.tiles(edge_tiles(size)), leaf_hashes(leaves))
        kept = book.tiles(tuple(grown.tiles))
        full = {tile: data for tile, data in grown.tiles.items() if tile.width == 256}
        edge = {tile: grown.tiles[tile] for tile in edge_tiles(grown.size) if end == head.size}
        for tile, data in (full | edge).items():
            if kept.get(tile) != data:
                yield Difference(where=path_of(tile), what="the tile is not what its leaves give")
        size, root = grown.size, grown.root
        progress("leaves", size)
    if head is not None and head.root != root:
        yield Difference(where=f"head of size {head.size}", what="the root is not that of the log")


def checkpoints(
    stored: Stored, book: LogBook, verifiers: Sequence[VerifierKey]
) -> Iterator[Difference]:
    """Each published checkpoint is signed and its root is the one that the log had."""
    head, after = book.head(), 0
    while head is not None:
        with stored.unit():
            page = stored.checkpoints(after, PAGE)
        if not page:
            return
        for one in page:
            where = f"checkpoint of size {one.size}"
            if one.root != book.root_at(one.size):
                yield Difference(where=where, what="the log had another root at this size")
            try:
                signed = open_checkpoint(one.note, verifiers, head.origin)
            except BridgeError as error:
                yield Difference(where=where, what=error.what)
            else:
                if (signed.size, signed.root) != (one.size, one.root):
                    yield Difference(where=where, what="the signed text says another head")
        after = page[-1].size


def tiles(stored: Stored, book: LogBook) -> Iterator[Difference]:
    """No stored tile, not even one that a wider tile replaced, says anything else than the tree."""
    head, after = book.head(), Tile(level=-1, n=0, width=0)
    while True:
        with stored.unit():
            page = stored.tiles(after, PAGE)
        if not page:
            return
        for tile, data in page:
            if head is None or not _in_tree(tile, data, head.size, book):
                yield Difference(where=path_of(tile), what="the log has no such tile")
        after = page[-1][0]


def _in_tree(tile: Tile, data: bytes, size: TreeSize, book: LogBook) -> bool:
    """Whether it is the beginning of the tile that `tree` compared with the leaves."""
    count = size >> (8 * tile.level)
    width = min(WIDTH, count - tile.n * WIDTH)
    if not 0 < tile.width <= WIDTH or len(data) != tile.width * HASH_SIZE:
        return False
    if tile.width > width:
        # A crash between tiles and head leaves tiles of leaves that have their indices already:
        # the next run finds them, and re-reads them before it believes them.
        return True
    whole = book.tiles([Tile(level=tile.level, n=tile.n, width=width)])
    return next(iter(whole.values()), b"")[: len(data)] == data
