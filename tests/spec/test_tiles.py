"""A stranger's reader of tlog-tiles reads our log, of every shape of its right edge."""

import pytest

from bridge.core.log.tiles import Bundle, Tile, path_of
from bridge.flows.check import fetch_from
from bridge.flows.sequence import sequence
from tests.fakes.logbook import MemoryLogBook
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import FixedClock
from tests.spec.tile_reader import encoded, read_log


@pytest.mark.parametrize("count", [1, 255, 256, 257, 512, 700, 65_536, 65_800])
def test_strangers_reader_finds_every_entry(count: int) -> None:
    """Checkpoint, bundles and tiles of every level, full and partial, are as the text says."""
    book, signer = MemoryLogBook(), KnownSigner()
    for index in range(count):
        book.promise(f"leaf {index}", b"leaf %d" % index)
    while sequence(
        book=book, signer=signer, clock=FixedClock(), origin=signer.name, max_leaves=10_000
    ):
        pass
    fetch = fetch_from(book)

    def served(path: str) -> bytes:
        (data,) = fetch([path])
        assert data is not None, path
        return data

    size, entries = read_log(served, signer.verifier_key)

    assert (size, entries) == (count, [b"leaf %d" % index for index in range(count)])


@pytest.mark.parametrize("number", [0, 7, 999, 1_000, 255_999, 1_234_067, 10**9])
def test_paths_are_those_of_the_text(number: int) -> None:
    """The elements of a large number are folders of at most a thousand."""
    assert path_of(Tile(level=3, n=number, width=9)) == f"tile/3/{encoded(number)}.p/9"
    assert path_of(Bundle(n=number)) == f"tile/entries/{encoded(number)}"
