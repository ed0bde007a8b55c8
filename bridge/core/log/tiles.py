"""c2sp.org/tlog-tiles: the tree as files of 256 hashes, the leaves as bundles of 256 entries.

A tile of level L holds hashes of height 8 L. Full tiles never change; the newest tile of each level
is partial and named by its width, so that no name ever stands for two contents.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, LeafIndex, TreeSize
from bridge.core.log.merkle import (
    HASH_SIZE,
    Range,
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    range_nodes,
    root_of,
)

__all__ = [
    "MAX_ENTRY",
    "WIDTH",
    "Bundle",
    "Grown",
    "Tile",
    "TileReader",
    "bundles",
    "edge_root",
    "edge_tiles",
    "encode_entries",
    "grow",
    "parse_entries",
    "parse_path",
    "path_of",
    "prove_consistency",
    "prove_inclusion",
    "root_at",
]

WIDTH = 256
"""Hashes of a full tile and entries of a full bundle."""
FULL = WIDTH * HASH_SIZE
MAX_ENTRY = 0xFFFF
"""Bytes of one entry: its length is a big-endian uint16."""
MAX_LEVEL = 7
"""256 ** 8 is 2 ** 64: a tree of 64-bit size has no tile above."""
SHARED_HEIGHT = 12
"""Subtrees of 4,096 leaves and more stand in many leaves' proofs, as do those of partial tiles."""
PATH = re.compile(
    r"tile/(?P<level>[0-7]|entries)/(?P<n>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Name of a tile: `width` hashes of height 8 x `level`, from hash 256 x `n` on."""

    level: int
    n: int
    width: int = WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Name of an entry bundle: `width` leaves from leaf 256 x `n` on."""

    n: int
    width: int = WIDTH


TileReader: TypeAlias = Callable[[Sequence[Tile]], Mapping[Tile, bytes]]
"""Contents of the tiles asked for, all of them; a wider tile's beginning serves for a narrower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A tree after new leaves: what has to be written for it."""

    size: TreeSize
    root: Digest
    tiles: Mapping[Tile, bytes]
    """Tiles that became full, and the newest partial tile of each level that changed."""


def path_of(name: Tile | Bundle) -> str:
    """Such as `tile/0/x001/067`, `tile/1/000.p/9`, `tile/entries/000`; relative to the prefix."""
    kind = "entries" if isinstance(name, Bundle) else str(name.level)
    head, last = divmod(name.n, 1000)
    number = f"{last:03d}"
    while head:
        head, part = divmod(head, 1000)
        number = f"x{part:03d}/{number}"
    suffix = "" if name.width == WIDTH else f".p/{name.width}"
    return f"tile/{kind}/{number}{suffix}"


def parse_path(path: str) -> Tile | Bundle:
    """The inverse of `path_of`; every other spelling is refused."""
    found = PATH.fullmatch(path)
    name: Tile | Bundle | None = None
    if found is not None:
        n = int(found["n"].replace("x", "").replace("/", ""))
        width = int(found["width"] or WIDTH)
        level = found["level"]
        name = (
            Bundle(n=n, width=width)
            if level == "entries"
            else Tile(level=int(level), n=n, width=width)
        )
    if name is None or name.width > WIDTH or path_of(name) != path:
        raise BridgeError(
            "tile-path",
            Fault.SENDER,
            what="the path names no tile",
            where="tile path",
            do="write it as tile/LEVEL/N or tile/LEVEL/N.p/WIDTH, see c2sp.org/tlog-tiles",
        )
    return name


def encode_entries(leaves: Iterable[bytes]) -> bytes:
    """An entry bundle: each leaf behind its length as big-endian uint16."""
    return b"".join([len(leaf).to_bytes(2) + leaf for leaf in leaves])


def parse_entries(data: bytes) -> tuple[bytes, ...]:
    """The leaves of a bundle; refuses a leaf that is cut short."""
    leaves: list[bytes] = []
    at = 0
    while at < len(data):
        begin = at + 2
        at = begin + (data[begin - 2] << 8) + data[begin - 1] if begin <= len(data) else begin
        leaves.append(data[begin:at])
    if at != len(data):
        raise BridgeError(
            "entries-form",
            Fault.PEER,
            what=f"an entry bundle of {len(data)} bytes ends inside entry {len(leaves) - 1}",
            where=f"byte {len(data)}",
            do="fetch the bundle again, then report the log",
        )
    return tuple(leaves)


def bundles(begin: int, end: int) -> tuple[Bundle, ...]:
    """Names of the bundles that hold leaves [begin, end) of a log of size `end`."""
    return tuple(
        Bundle(n=n, width=min(WIDTH, end - n * WIDTH))
        for n in range(begin // WIDTH, -(-end // WIDTH))
    )


def edge_tiles(size: TreeSize) -> tuple[Tile, ...]:
    """The partial tiles of a tree, lowest level first: all that is needed to grow it."""
    widths = ((level, size >> (8 * level)) for level in range(MAX_LEVEL + 1))
    return tuple(
        Tile(level=level, n=count // WIDTH, width=count % WIDTH)
        for level, count in widths
        if count % WIDTH
    )


def edge_root(size: TreeSize, tiles: Mapping[Tile, bytes]) -> Digest:
    """The root of a tree out of its partial tiles."""
    return _join({tile.level: _content(tiles, tile) for tile in edge_tiles(size)})


def grow(size: TreeSize, tiles: Mapping[Tile, bytes], hashes: bytes) -> Grown:
    """The tree with more leaves.

    Args:
        size: of the tree so far.
        tiles: contents of its `edge_tiles`.
        hashes: `merkle.leaf_hashes` of the new leaves.
    """
    edge = {tile.level: _content(tiles, tile) for tile in edge_tiles(size)}
    written: dict[Tile, bytes] = {}
    grown = TreeSize(size + len(hashes) // HASH_SIZE)
    level = 0
    while hashes:
        n = size >> (8 * level + 8)
        row = edge.get(level, b"") + hashes
        full = [row[at : at + FULL] for at in range(0, len(row) - FULL + 1, FULL)]
        written.update((Tile(level=level, n=n + place), data) for place, data in enumerate(full))
        edge[level] = rest = row[len(full) * FULL :]
        if rest:
            width = len(rest) // HASH_SIZE
            written[Tile(level=level, n=n + len(full), width=width)] = rest
        hashes = b"".join([root_of(data) for data in full])
        level += 1
    return Grown(size=grown, root=_join(edge), tiles=written)


def prove_inclusion(index: LeafIndex, size: TreeSize, read: TileReader) -> tuple[Digest, ...]:
    """The audit path of a leaf out of tiles, all read in one call."""
    ranges = inclusion_ranges(index, size)
    return inclusion_proof(index, size, _Nodes(ranges, size, read).node)


def prove_consistency(size1: TreeSize, size2: TreeSize, read: TileReader) -> tuple[Digest, ...]:
    """The consistency proof between two sizes out of tiles, all read in one call."""
    ranges = consistency_ranges(size1, size2)
    return consistency_proof(size1, size2, _Nodes(ranges, size2, read).node)


def root_at(size: TreeSize, read: TileReader) -> Digest:
    """The root that the log had at an earlier (or its present) size."""
    return edge_root(size, read(edge_tiles(size)))


class _Nodes:
    """A node source over the tiles that some ranges of a tree need."""

    def __init__(self, ranges: Sequence[Range], size: TreeSize, read: TileReader) -> None:
        self.size = size
        needed = {self._tile(*node): None for covered in ranges for node in range_nodes(covered)}
        self.tiles = read(tuple(needed))

    def node(self, height: int, index: int) -> Digest:
        """Hash of a complete subtree: up to 128 hashes of one tile, joined."""
        inside = height % 8
        begin = (index << inside) % WIDTH * HASH_SIZE
        tile = self._tile(height, index)
        hashes = _content(self.tiles, tile)[begin : begin + (HASH_SIZE << inside)]
        shared = height >= SHARED_HEIGHT or tile.width < WIDTH
        return _shared_root(hashes) if shared else root_of(hashes)

    def _tile(self, height: int, index: int) -> Tile:
        level, inside = divmod(height, 8)
        n = (index << inside) // WIDTH
        return Tile(level=level, n=n, width=min(WIDTH, (self.size >> (8 * level)) - n * WIDTH))


@lru_cache(maxsize=8192)
def _shared_root(hashes: bytes) -> Digest:
    """`root_of`, remembered by the hashes themselves: an edited tile is another argument.

    A log of ten million leaves has 4,900 subtrees from `SHARED_HEIGHT` on; an argument has at most
    4 KB and most have 512 bytes, so that a full memory takes some 10 MB.
    """
    return root_of(hashes)


def _join(edge: Mapping[int, bytes]) -> Digest:
    """Root over the partial rows of all levels: each lower one is the last child of the next."""
    joined = b""
    for level in sorted(edge):
        if edge[level] or joined:
            joined = root_of(edge[level] + joined)
    return Digest(joined) if joined else root_of(b"")


def _content(tiles: Mapping[Tile, bytes], tile: Tile) -> bytes:
    data = tiles.get(tile)
    if data is None or len(data) != tile.width * HASH_SIZE:
        found = "is missing" if data is None else f"has {len(data)} bytes"
        raise BridgeError(
            "tile-form",
            Fault.PEER,
            what=f"a tile of {tile.width * HASH_SIZE} bytes {found}",
            where=path_of(tile),
            do="run fsck on this log",
        )
    return data
