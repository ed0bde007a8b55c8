"""The auditor: re-read a whole log as any stranger can, compare it with itself and with anchors.

Trusts nothing but the log's public key and whoever reads the anchored heads. It proves that the log
is whole and that nobody was shown another one at an anchored size; not that its content is true.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize
from bridge.core.log.checkpoint import (
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
)
from bridge.core.log.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hashes
from bridge.core.log.tiles import (
    WIDTH,
    Bundle,
    Tile,
    bundles,
    edge_tiles,
    grow,
    parse_entries,
    parse_path,
    path_of,
)
from bridge.ports.logbook import AnchoredHead, LogBook

__all__ = ["Audit", "Fetch", "LogFinding", "check", "fetch_from", "one_by_one"]

Fetch: TypeAlias = Callable[[Sequence[str]], Sequence[bytes | None]]
"""Paths below the log's prefix to their contents in order, None where there is none. The caller
bounds sizes (an entry bundle has at most 16.8 MB) and raises BridgeError when it cannot say."""

STEP = 64 * WIDTH
"""Leaves read and hashed at a time: a megabyte or so."""
MAX_FINDINGS = 50
"""A rewritten log differs everywhere; the first places are what a person looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFinding:
    """One thing that an honest log does not show."""

    code: str
    """`checkpoint`, `log-behind`, `anchor-differs`, `root-differs`, `leaf-differs`, `tile-differs`,
    `tile-missing`, `entries-missing` or `entries-form`."""
    where: str
    """The first tile and byte, leaf or size that differs."""
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was read, and what was found: no findings means that the log is clean."""

    checkpoint: Checkpoint | None
    leaves: int
    tiles: int
    anchors: int
    findings: tuple[LogFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What a server gave for a name, and how many hashes or entries it must then hold."""

    data: bytes | None
    width: int
    """Of the name that was asked for, or 256 where only the full tile is there by now."""


@dataclass(slots=True)
class _Tally:
    fetch: Fetch
    heads: list[AnchoredHead]
    findings: list[LogFinding] = field(default_factory=list)
    leaves: int = 0
    tiles: int = 0

    def note(self, code: str, where: str, what: str) -> None:
        """Keep a finding."""
        self.findings.append(LogFinding(code=code, where=where, what=what))

    def report(self, checkpoint: Checkpoint | None) -> Audit:
        """The facts so far."""
        return Audit(
            checkpoint=checkpoint,
            leaves=self.leaves,
            tiles=self.tiles,
            anchors=len(self.heads),
            findings=tuple(self.findings[:MAX_FINDINGS]),
        )


def check(
    *,
    fetch: Fetch,
    verifiers: Callable[[TreeSize], Sequence[VerifierKey]],
    origin: str,
    anchored: Callable[[], Sequence[AnchoredHead]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Hash every entry, rebuild every tile, and compare tiles, root, checkpoint and anchors.

    Stops early when `MAX_FINDINGS` are found or when neither entries nor tile can be read.

    Args:
        fetch: reads `checkpoint`, `tile/...` and `tile/entries/...`.
        verifiers: the log's public keys that may sign a head of a size.
        origin: the log's identity.
        anchored: reads the heads that independent systems (or earlier checkpoints) hold.
        progress: told (leaves done, leaves in all) now and then.

    Raises:
        BridgeError: what `fetch` and `anchored` raise when they cannot say.
    """
    # Anchors first: a log that grows meanwhile is then never behind them.
    heads = [head for head in anchored() if head.size] if anchored else []
    tally = _Tally(fetch=fetch, heads=sorted(heads, key=lambda head: head.size))
    checkpoint = _checkpoint(tally, verifiers, origin)
    if checkpoint is None:
        return tally.report(None)
    for head in tally.heads:
        if head.size > checkpoint.size:
            what = f"an anchored head has more leaves than the checkpoint's {checkpoint.size}"
            tally.note("log-behind", f"size {head.size}", what)
    root = EMPTY_ROOT
    for size, found in _rebuilt(tally, checkpoint.size):
        root = found
        if progress:
            progress(size, checkpoint.size)
    if tally.leaves == checkpoint.size and root != checkpoint.root:
        what = f"the entries lead to root {root.hex()}, signed is {checkpoint.root.hex()}"
        tally.note("root-differs", f"size {checkpoint.size}", what)
    return tally.report(checkpoint)


def fetch_from(book: LogBook) -> Fetch:
    """The same reads straight from a log book, for an audit without a network."""

    def fetch(paths: Sequence[str]) -> Sequence[bytes | None]:
        names = [None if path == "checkpoint" else parse_path(path) for path in paths]
        tiles = book.tiles([name for name in names if isinstance(name, Tile)])
        entries = book.bundles([name for name in names if isinstance(name, Bundle)])
        return [
            book.checkpoint_text()
            if name is None
            else (tiles.get(name) if isinstance(name, Tile) else entries.get(name))
            for name in names
        ]

    return fetch


def one_by_one(fetch: Callable[[str], bytes | None]) -> Fetch:
    """For a source that gives one content at a time."""
    return lambda paths: [fetch(path) for path in paths]


def _checkpoint(
    tally: _Tally, verifiers: Callable[[TreeSize], Sequence[VerifierKey]], origin: str
) -> Checkpoint | None:
    (note,) = tally.fetch(["checkpoint"])
    if note is None:
        tally.note("checkpoint", "checkpoint", "the log has no checkpoint")
        return None
    try:
        size = parse_checkpoint(parse_note(note).text).size
        return open_checkpoint(note, verifiers(size), origin)
    except BridgeError as error:
        tally.note("checkpoint", error.where, error.what)
        return None


def _rebuilt(tally: _Tally, size: TreeSize) -> Iterator[tuple[TreeSize, Digest]]:
    """Grow the tree from its entries alone; yields each size with its root."""
    edge: Mapping[Tile, bytes] = {}
    for begin in range(0, size, STEP):
        end = min(begin + STEP, size)
        names = bundles(begin, end)
        hashes = b"".join(map(partial(_hashes, tally), names, _fetched(tally, names)))
        if len(hashes) != (end - begin) * HASH_SIZE or len(tally.findings) >= MAX_FINDINGS:
            return
        done = TreeSize(begin)
        _compare_anchors(tally, done, edge, hashes)
        grown = grow(done, edge, hashes)
        tally.leaves = end
        edge = {**edge, **grown.tiles}
        complete = {tile for tile in grown.tiles if tile.width == WIDTH}
        due = sorted(complete, key=_order) if end < size else _last(complete, size)
        for tile, data in zip(due, _fetched(tally, due), strict=True):
            _compare_tile(tally, tile, data, edge[tile])
        edge = {tile: edge[tile] for tile in edge_tiles(grown.size)}
        yield grown.size, grown.root


def _last(complete: set[Tile], size: TreeSize) -> list[Tile]:
    """At the end of the log its partial tiles are compared, too."""
    return sorted(complete | set(edge_tiles(size)), key=_order)


def _order(tile: Tile) -> tuple[int, int]:
    return tile.level, tile.n


def _hashes(tally: _Tally, bundle: Bundle, served: _Served) -> bytes:
    """Leaf hashes of a bundle from its entries; from its tile when the entries cannot be read."""
    if leaves := _entries(tally, bundle, served):
        return leaf_hashes(leaves)
    (tile,) = _fetched(tally, [Tile(level=0, n=bundle.n, width=bundle.width)])
    return (tile.data or b"")[: bundle.width * HASH_SIZE]


def _entries(tally: _Tally, bundle: Bundle, served: _Served) -> tuple[bytes, ...]:
    """All entries of a bundle; none, and a finding, when it holds fewer or more."""
    if served.data is None:
        tally.note("entries-missing", path_of(bundle), "the entry bundle is not served")
        return ()
    try:
        leaves = parse_entries(served.data)
    except BridgeError as error:
        tally.note("entries-form", path_of(bundle), error.what)
        return ()
    if len(leaves) != served.width:
        what = f"the entry bundle has {len(leaves)} entries, expected {served.width}"
        tally.note("entries-form", path_of(bundle), what)
        return ()
    return leaves[: bundle.width]


def _compare_anchors(
    tally: _Tally, done: TreeSize, edge: Mapping[Tile, bytes], hashes: bytes
) -> None:
    """Every anchored size inside this step must have had the anchored root."""
    reach = done + len(hashes) // HASH_SIZE
    for head in tally.heads:
        if not done < head.size <= reach:
            continue
        root = grow(done, edge, hashes[: (head.size - done) * HASH_SIZE]).root
        if root != head.root:
            what = f"the entries lead to root {root.hex()}, anchored is {head.root.hex()}"
            tally.note("anchor-differs", f"size {head.size}", what)


def _compare_tile(tally: _Tally, tile: Tile, served: _Served, expected: bytes) -> None:
    """A served tile must be what the entries make it, byte for byte and not a byte more."""
    tally.tiles += 1
    if served.data is None:
        tally.note("tile-missing", path_of(tile), "the tile is not served")
        return
    found, whole = served.data[: tile.width * HASH_SIZE], served.width * HASH_SIZE
    if found == expected:
        if len(served.data) != whole:
            what = f"the tile has {len(served.data)} bytes, expected {whole}"
            tally.note(
                "tile-differs", f"{path_of(tile)}, byte {min(len(served.data), whole)}", what
            )
        return
    pairs = zip(found, expected, strict=False)
    at = next((place for place, (a, b) in enumerate(pairs) if a != b), len(found))
    if tile.level == 0:
        what = f"the entry does not hash to what {path_of(tile)} says"
        tally.note("leaf-differs", f"leaf {tile.n * WIDTH + at // HASH_SIZE}", what)
    else:
        what = "the tile is not what the tiles below make it"
        tally.note("tile-differs", f"{path_of(tile)}, byte {at}", what)


def _fetched(tally: _Tally, names: Sequence[Tile | Bundle]) -> list[_Served]:
    """The contents, or those of the full tiles which have replaced partial ones since."""
    found = [
        _Served(data=data, width=name.width)
        for name, data in zip(names, tally.fetch([path_of(name) for name in names]), strict=True)
    ]
    replaced = [place for place, one in enumerate(found) if one.data is None and one.width < WIDTH]
    if replaced:
        full = [path_of(replace(names[place], width=WIDTH)) for place in replaced]
        for place, data in zip(replaced, tally.fetch(full), strict=True):
            found[place] = _Served(data=data, width=WIDTH)
    return found
