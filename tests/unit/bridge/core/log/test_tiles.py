"""Tiles: names, growth in any steps, proofs, entry bundles."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError
from bridge.core.ids import LeafIndex, TreeSize
from bridge.core.log.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    leaf_hashes,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from bridge.core.log.tiles import (
    Bundle,
    Tile,
    bundles,
    edge_root,
    edge_tiles,
    encode_entries,
    grow,
    parse_entries,
    parse_path,
    path_of,
    prove_consistency,
    prove_inclusion,
    root_at,
)

LEAVES = [b"leaf %d" % index for index in range(70_000)]
HASHES = leaf_hashes(LEAVES)


def build(*steps: int) -> dict[Tile, bytes]:
    """All tiles ever written by a log that grew to these sizes."""
    tiles: dict[Tile, bytes] = {}
    size = TreeSize(0)
    for step in steps:
        grown = grow(size, tiles, HASHES[size * 32 : step * 32])
        tiles.update(grown.tiles)
        size = grown.size
    return tiles


@pytest.fixture(scope="module")
def whole() -> dict[Tile, bytes]:
    """The tiles of the log of 70,000 leaves, written at once."""
    return build(70_000)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (Tile(level=0, n=0), "tile/0/000"),
        (Tile(level=0, n=1067), "tile/0/x001/067"),
        (Tile(level=1, n=1_234_067), "tile/1/x001/x234/067"),
        (Tile(level=7, n=5, width=9), "tile/7/005.p/9"),
        (Bundle(n=999), "tile/entries/999"),
        (Bundle(n=1000, width=255), "tile/entries/x001/000.p/255"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_are_those_of_tlog_tiles(name: Tile | Bundle, path: str) -> None:
    """Numbers are written in groups of three digits, all but the last behind an x."""
    assert path_of(name) == path
    assert parse_path(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/8/000", "tile/00/000", "tile/-1/000",
        "tile/0/x000/001", "tile/0/001/067", "tile/0/x001/x067", "tile/0/000.p/0",
        "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000 ", "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660", "/tile/0/000", "tile/entries/../000", "tile/0/000.p/999",
        "tile/0/x001/x001/x001/x001/x001/x001/001",
    ],
)  # fmt: skip
def test_other_spelling_of_a_name_is_refused(path: str) -> None:
    """One tile has one name, so that caches and disks hold it once."""
    with pytest.raises(BridgeError, match=r"the path names no tile \(tile path\) - write it as"):
        parse_path(path)


def test_tree_of_70000_has_the_tiles_of_the_specification(whole: Mapping[Tile, bytes]) -> None:
    """273 full and one partial of 112, one full and one of 17, one of 1."""
    full = [tile for tile in whole if tile.width == 256]

    assert [sum(tile.level == level for tile in full) for level in (0, 1, 2)] == [273, 1, 0]
    assert edge_tiles(TreeSize(70_000)) == (
        Tile(level=0, n=273, width=112),
        Tile(level=1, n=1, width=17),
        Tile(level=2, n=0, width=1),
    )
    assert set(whole) == {*full, *edge_tiles(TreeSize(70_000))}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000])
def test_root_out_of_the_edge_is_the_root(size: int) -> None:
    """The partial tiles alone give the root of the whole tree."""
    tiles = build(size)

    assert edge_root(TreeSize(size), tiles) == root_of(HASHES[: size * 32])
    assert root_of(b"") == EMPTY_ROOT


@given(st.lists(st.integers(1, 900), min_size=1, max_size=6))
def test_steps_of_growth_do_not_matter(steps: list[int]) -> None:
    """A log that grew in steps has every tile of the log that was written at once."""
    sizes = [sum(steps[: count + 1]) for count in range(len(steps))]

    stepwise, at_once = build(*sizes), build(sizes[-1])

    assert {tile: stepwise[tile] for tile in at_once} == at_once
    assert {tile for tile in stepwise if tile.width == 256} == {
        tile for tile in at_once if tile.width == 256
    }


def test_growth_writes_no_tile_that_did_not_change() -> None:
    """One leaf more touches only the partial tile of level 0."""
    grown = grow(TreeSize(600), build(600), HASHES[600 * 32 : 601 * 32])

    assert list(grown.tiles) == [Tile(level=0, n=2, width=89)]
    assert (grown.size, grown.root) == (601, root_of(HASHES[: 601 * 32]))


@pytest.mark.parametrize("index", [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999])
def test_inclusion_is_proved_from_tiles(whole: dict[Tile, bytes], index: int) -> None:
    """One read of a few tiles gives the path of any leaf."""
    asked: list[Tile] = []

    def read(tiles: Sequence[Tile]) -> Mapping[Tile, bytes]:
        asked.extend(tiles)
        return {tile: whole[tile] for tile in tiles}

    path = prove_inclusion(LeafIndex(index), TreeSize(70_000), read)

    verify_inclusion(
        leaf_hash(LEAVES[index]), LeafIndex(index), TreeSize(70_000), path, root_of(HASHES)
    )
    assert len(asked) <= 6


@pytest.mark.parametrize("earlier", [1, 255, 256, 300, 65_535, 65_536, 65_537, 69_999, 70_000])
def test_consistency_is_proved_from_tiles(whole: dict[Tile, bytes], earlier: int) -> None:
    """Tiles give the proof from any earlier size."""
    path = prove_consistency(TreeSize(earlier), TreeSize(70_000), lambda _: whole)

    old = root_of(HASHES[: earlier * 32])
    verify_consistency(TreeSize(earlier), TreeSize(70_000), old, root_of(HASHES), path)


def test_earlier_root_is_read_from_wider_tiles(whole: dict[Tile, bytes]) -> None:
    """The beginning of a tile that has grown serves for the tile it was."""

    def read(tiles: Sequence[Tile]) -> Mapping[Tile, bytes]:
        widest = {(tile.level, tile.n): data for tile, data in whole.items()}
        return {tile: widest[tile.level, tile.n][: tile.width * 32] for tile in tiles}

    for size in (1, 300, 65_600, 69_999):
        assert root_at(TreeSize(size), read) == root_of(HASHES[: size * 32])


@pytest.mark.parametrize(
    ("tiles", "message"),
    [
        ({}, r"a tile of 32 bytes is missing \(tile/0/000.p/1\) - run fsck"),
        ({Tile(level=0, n=0, width=1): b"short"}, r"a tile of 32 bytes has 5 bytes"),
    ],
    ids=["missing", "cut short"],
)
def test_broken_edge_is_refused(tiles: dict[Tile, bytes], message: str) -> None:
    """A tree is never grown on tiles that are not there or not whole."""
    with pytest.raises(BridgeError, match=message):
        grow(TreeSize(1), tiles, HASHES[32:64])


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_entry_bundle_round_trip(leaves: list[bytes]) -> None:
    """Entries come back as they went in, empty ones too."""
    assert parse_entries(encode_entries(leaves)) == tuple(leaves)


def test_bundle_that_ends_inside_an_entry_is_refused() -> None:
    """Every prefix of a bundle is whole entries or an error, never a shorter entry."""
    data = encode_entries([b"one", b"three"])

    for cut in (1, 2, 4, 6, 7, 11):
        with pytest.raises(BridgeError, match=rf"bundle of {cut} bytes ends inside entry [01]"):
            parse_entries(data[:cut])


def test_bundles_cover_the_leaves() -> None:
    """Reading on from leaf 300 of 700 starts at the bundle that holds it."""
    assert bundles(300, 700) == (Bundle(n=1), Bundle(n=2, width=188))
    assert bundles(0, 512) == (Bundle(n=0), Bundle(n=1))
    assert bundles(0, 0) == ()
