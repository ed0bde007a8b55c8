"""The auditor over a log in memory that is honest, broken or rewritten."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.core.ids import Digest, TreeSize
from bridge.core.log.checkpoint import Checkpoint, VerifierKey
from bridge.core.log.merkle import leaf_hash
from bridge.core.log.tiles import Tile, encode_entries
from bridge.flows.check import MAX_FINDINGS, Audit, check, fetch_from, one_by_one
from bridge.flows.sequence import sequence
from bridge.ports.logbook import AnchoredHead
from tests.fakes.logbook import MemoryLogBook
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import FixedClock

ORIGIN = "log.example/test"
KEY = VerifierKey.parse(KnownSigner().verifier_key)


def log_of(count: int) -> MemoryLogBook:
    """A published log."""
    book = MemoryLogBook()
    for index in range(count):
        book.promise(f"leaf {index}", b"leaf %d" % index)
    while sequence(
        book=book, signer=KnownSigner(), clock=FixedClock(), origin=ORIGIN, max_leaves=300
    ):
        pass
    return book


def audit(book: MemoryLogBook, *anchored: AnchoredHead) -> Audit:
    """An audit through the paths that strangers use."""
    return check(
        fetch=fetch_from(book), verifiers=lambda _: [KEY], origin=ORIGIN, anchored=lambda: anchored
    )


def served_by(book: MemoryLogBook) -> Callable[[str], bytes | None]:
    """What the log serves under one path."""
    fetch = fetch_from(book)
    return lambda path: fetch([path])[0]


def codes(report: Audit) -> list[tuple[str, str]]:
    """What was found, and where."""
    return [(finding.code, finding.where) for finding in report.findings]


def anchors(book: MemoryLogBook) -> tuple[AnchoredHead, ...]:
    """Every published head, as a chain would hold it."""
    return tuple(AnchoredHead(size=one.size, root=one.root) for one in book.checkpoints.values())


@pytest.mark.parametrize("count", [1, 255, 256, 257, 700, 17_000])
def test_honest_log_is_clean(count: int) -> None:
    """Every entry, tile, root and anchor agrees."""
    book = log_of(count)

    report = audit(book, *anchors(book))

    assert report.findings == ()
    assert report.leaves == count
    assert report.tiles == len(book.stored)
    assert report.anchors == len(book.checkpoints)
    assert report.checkpoint is not None
    assert report.checkpoint.size == count


def test_edited_entry_is_found_with_its_leaf() -> None:
    """One changed byte of one entry names the leaf, and the root no longer fits."""
    book = log_of(700)
    book.log[300] = ("leaf 300", b"leaf 3oo")

    report = audit(book, *anchors(book))

    assert ("leaf-differs", "leaf 300") in codes(report)
    assert ("root-differs", "size 700") in codes(report)
    assert [one for one in codes(report) if one[0] == "anchor-differs"] == [
        ("anchor-differs", "size 600"),
        ("anchor-differs", "size 700"),
    ]


def test_history_rewritten_and_signed_again_is_caught_by_the_anchors() -> None:
    """The operator edits a leaf, rebuilds tiles and checkpoint; only the chain remembers."""
    honest = log_of(700)
    forged = MemoryLogBook()
    for index in range(700):
        forged.promise(f"leaf {index}", b"forged" if index == 42 else b"leaf %d" % index)
    while sequence(book=forged, signer=KnownSigner(), clock=FixedClock(), origin=ORIGIN):
        pass

    alone, anchored = audit(forged), audit(forged, *anchors(honest))

    assert alone.findings == ()
    assert codes(anchored) == [("anchor-differs", f"size {size}") for size in (300, 600, 700)]


def test_log_rolled_back_is_behind_its_anchor() -> None:
    """A restored backup serves fewer leaves than the chain has seen."""
    later = log_of(700)

    report = audit(log_of(300), *anchors(later))

    assert codes(report) == [("log-behind", "size 600"), ("log-behind", "size 700")]


def test_edited_tile_is_found_with_its_byte() -> None:
    """A tile of level 1 that the tiles below do not make."""
    book = log_of(700)
    name = Tile(level=1, n=0, width=2)
    book.stored[name] = book.stored[name][:40] + b"\x00" + book.stored[name][41:]

    assert codes(audit(book)) == [("tile-differs", "tile/1/000.p/2, byte 40")]


def test_missing_parts_are_found() -> None:
    """What a client needs must be served."""
    book = log_of(700)
    del book.stored[Tile(level=0, n=1)]
    served = served_by(book)

    def fetch(path: str) -> bytes | None:
        return None if path.startswith("tile/entries/000") else served(path)

    report = check(fetch=one_by_one(fetch), verifiers=lambda _: [KEY], origin=ORIGIN)

    assert codes(report) == [
        ("entries-missing", "tile/entries/000"),
        ("tile-missing", "tile/0/001"),
    ]


def test_leaves_that_nobody_can_read_end_the_audit() -> None:
    """Without entries and tile the rest cannot be hashed, and the report says how far it came."""
    book = log_of(700)
    del book.stored[Tile(level=0, n=1)]
    served = served_by(book)

    def fetch(path: str) -> bytes | None:
        return None if path == "tile/entries/001" else served(path)

    report = check(fetch=one_by_one(fetch), verifiers=lambda _: [KEY], origin=ORIGIN)

    assert codes(report) == [("entries-missing", "tile/entries/001")]
    assert report.leaves == 0


@pytest.mark.parametrize("size", [1, 700, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize(
    "answer",
    [None, b"", bytes(600), b"\0\0" * 256, b"\xff\xff" + bytes(65535), b"\x07" * 8192],
    ids=["nothing", "empty", "zeros", "empty-entries", "one-long-entry", "noise"],
)
def test_signed_checkpoint_over_a_log_that_is_not_served_is_never_clean(
    answer: bytes | None, size: int
) -> None:
    """Whoever has the key signs any root; the server then answers everything with the same."""
    head = Checkpoint(origin=ORIGIN, size=TreeSize(size), root=Digest(b"\x05" * 32))
    note = KnownSigner().sign(head.encode())

    report = check(
        fetch=one_by_one(lambda path: note if path == "checkpoint" else answer),
        verifiers=lambda _: [KEY],
        origin=ORIGIN,
    )

    assert report.findings


@pytest.mark.parametrize(
    ("bundle", "finding"),
    [
        (b"\x00\x09leaf", "an entry bundle of 6 bytes ends inside entry 0"),
        (encode_entries([b"leaf 512"]), "the entry bundle has 1 entries, expected 188"),
        (b"", "the entry bundle has 0 entries, expected 188"),
        (
            encode_entries([b"leaf %d" % n for n in range(512, 701)]),
            "the entry bundle has 189 entries, expected 188",
        ),
    ],
    ids=["cut short", "too few", "empty", "too many"],
)
def test_malformed_bundle_is_found(bundle: bytes, finding: str) -> None:
    """A bundle must be whole and hold all its entries."""
    served = served_by(log_of(700))

    def fetch(path: str) -> bytes | None:
        return bundle if path == "tile/entries/002.p/188" else served(path)

    report = check(fetch=one_by_one(fetch), verifiers=lambda _: [KEY], origin=ORIGIN)

    assert [(one.code, one.what) for one in report.findings] == [("entries-form", finding)]


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"], ids=["full", "partial", "above"]
)
def test_bytes_behind_a_tile_are_found(path: str) -> None:
    """A name stands for one content: what follows it, somebody else may read."""
    served = served_by(log_of(700))

    def fetch(asked: str) -> bytes | None:
        data = served(asked)
        return data + bytes(32) if data is not None and asked == path else data

    report = check(fetch=one_by_one(fetch), verifiers=lambda _: [KEY], origin=ORIGIN)

    assert [one.code for one in report.findings] == ["tile-differs"]
    assert report.findings[0].where.startswith(f"{path}, byte ")


def test_partial_tile_replaced_by_a_full_one_is_read_from_it() -> None:
    """A log that grew since the checkpoint was read is no misbehaviour."""
    book = log_of(700)
    old = book.checkpoints[300].note
    served = served_by(book)

    def fetch(path: str) -> bytes | None:
        return old if path == "checkpoint" else None if ".p/" in path else served(path)

    # Level 1 has not become full: a log serves the partial tile of each of its checkpoints.
    def with_level_1(path: str) -> bytes | None:
        return served(path) if path.startswith("tile/1/") else fetch(path)

    report = check(fetch=one_by_one(with_level_1), verifiers=lambda _: [KEY], origin=ORIGIN)

    assert (report.findings, report.leaves) == ((), 300)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda _: None, "the log has no checkpoint"),
        (lambda note: note[:-2], "the note has no signature lines behind an empty line"),
        (lambda note: note.replace(b"\n7\n", b"\n8\n"), "the signature does not fit the text"),
        (
            lambda note: KnownSigner("x").sign(note.partition(b"\n\n")[0] + b"\n"),
            "no known key signed the note",
        ),
        (lambda _: KnownSigner().sign(b"x\n"), "the text is not three lines or more"),
    ],
    ids=["none", "cut short", "edited", "stranger's", "no checkpoint"],
)
def test_bad_checkpoint_ends_the_audit(change: Callable[[bytes], bytes | None], what: str) -> None:
    """Nothing is compared with a checkpoint that the log did not sign."""
    book = log_of(7)

    def fetch(path: str) -> bytes | None:
        return change(served_by(book)(path) or b"") if path == "checkpoint" else None

    report = check(fetch=one_by_one(fetch), verifiers=lambda _: [KEY], origin=ORIGIN)

    assert [finding.code for finding in report.findings] == ["checkpoint"]
    assert report.findings[0].what.startswith(what)
    assert report.checkpoint is None


def test_wholly_rewritten_log_gives_the_first_findings() -> None:
    """The list of findings is bounded, and the first places come first."""
    book = log_of(20_000)
    book.stored = {tile: bytes(len(data)) for tile, data in book.stored.items()}

    report = audit(book)

    assert len(report.findings) == MAX_FINDINGS
    assert codes(report)[0] == ("leaf-differs", "leaf 0")


def test_root_signed_over_other_tiles_is_found() -> None:
    """Entries and tiles agree, the signed root is another."""
    book = log_of(7)
    newest = book.checkpoints[7]
    lie = Checkpoint(origin=ORIGIN, size=TreeSize(7), root=Digest(leaf_hash(b"lie")))
    book.checkpoints[7] = replace(newest, note=KnownSigner().sign(lie.encode()))

    assert codes(audit(book)) == [("root-differs", "size 7")]


def test_progress_is_told() -> None:
    """Long audits show how far they are."""
    told: list[tuple[int, int]] = []

    check(
        fetch=fetch_from(log_of(17_000)),
        verifiers=lambda _: [KEY],
        origin=ORIGIN,
        progress=lambda done, size: told.append((done, size)),
    )

    assert told == [(16_384, 17_000), (17_000, 17_000)]


@pytest.mark.parametrize("size", range(1, 16))
def test_real_log_of_strangers_is_clean(shared: Path, size: int) -> None:
    """Every head of the published log of transparency-dev/tessera audits without a finding."""
    folder = shared / "vectors/tlog-tiles-tessera/testdata/log"
    origin = "example.com/log/testdata"
    key = VerifierKey.parse(f"{origin}+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")

    def fetch(path: str) -> bytes | None:
        file = folder / (f"checkpoint.{size}" if path == "checkpoint" else path)
        return file.read_bytes() if file.is_file() else None

    report = check(fetch=one_by_one(fetch), verifiers=lambda _: [key], origin=origin)

    assert (report.findings, report.leaves) == ((), size)
