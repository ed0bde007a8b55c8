"""The file of mappings that passed."""

from pathlib import Path

from bridge.core.ids import sha256
from workers.checked import FILE, CheckedFile

ONE, OTHER = sha256(b"1"), sha256(b"2")


def test_what_passed_is_known_to_the_next_process(tmp_path: Path) -> None:
    """Written whole, for this user alone."""
    first = CheckedFile(tmp_path)
    first.note(ONE)
    first.note(OTHER)

    assert [CheckedFile(tmp_path).passed(one) for one in (ONE, OTHER, sha256(b"3"))] == [
        True, True, False,
    ]  # fmt: skip
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [FILE]


def test_file_that_others_could_have_written_counts_for_nothing(tmp_path: Path) -> None:
    """Nor does one of other models, or a broken one; the check runs again."""
    CheckedFile(tmp_path).note(ONE)
    file = tmp_path / FILE
    file.chmod(0o666)
    assert not CheckedFile(tmp_path).passed(ONE)

    file.chmod(0o600)
    file.write_text(f"fhir.resources 0.0\n{ONE.hex()}\n")
    assert not CheckedFile(tmp_path).passed(ONE)

    file.write_bytes(b"\xff")
    assert not CheckedFile(tmp_path).passed(ONE)


def test_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """`convert` needs no node."""
    CheckedFile(tmp_path / "no").note(ONE)

    assert list(tmp_path.iterdir()) == []
