"""The journal of an unfinished run."""

from pathlib import Path

from bridge.cli.journal import Journal, journal_of


def test_what_was_answered_is_known_to_the_next_run(tmp_path: Path) -> None:
    """Name and bytes count; either other is another input."""
    with Journal(tmp_path / "j") as first:
        first.add("a#1", b"x")

    with Journal(tmp_path / "j") as second:
        known = [second.has(*one) for one in (("a#1", b"x"), ("a#1", b"y"), ("a#2", b"x"))]

    assert known == [True, False, False]


def test_line_that_was_cut_off_counts_for_nothing(tmp_path: Path) -> None:
    """A crash in the middle of a line makes one input be sent again, never one be left out."""
    with Journal(tmp_path / "j") as first:
        first.add("a", b"x")
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[:20])

    with Journal(tmp_path / "j") as second:
        before = second.has("a", b"x")
        second.add("b", b"y")
    with Journal(tmp_path / "j") as third:
        after = third.has("b", b"y")

    assert (before, after) == (False, True)


def test_other_inputs_or_another_node_have_a_journal_of_their_own(tmp_path: Path) -> None:
    """Two runs side by side do not hide each other's files."""
    files = [
        journal_of(tmp_path, url, [Path(name)])
        for url, name in (("http://a", "x"), ("http://b", "x"), ("http://a", "y"))
    ]

    assert len(set(files)) == 3
