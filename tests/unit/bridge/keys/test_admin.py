"""The admin token: made once, by whoever comes first, for its owner alone."""

import stat
from pathlib import Path

from bridge.keys.admin import admin_token


def test_the_token_stays_the_same(tmp_path: Path) -> None:
    """A restart does not lock the operator out."""
    first = admin_token(tmp_path / "node" / "admin.token")

    again = admin_token(tmp_path / "node" / "admin.token")

    assert first == again
    assert len(first) == 43


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """The file has mode 600 from its first moment, and no draft stays beside it."""
    admin_token(tmp_path / "admin.token")

    assert stat.S_IMODE((tmp_path / "admin.token").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["admin.token"]


def test_a_draft_of_a_process_that_was_killed_is_no_token(tmp_path: Path) -> None:
    """What a crash left unfinished is not taken for a token."""
    (tmp_path / "admin.token.1").write_text("")

    assert admin_token(tmp_path / "admin.token") != ""
