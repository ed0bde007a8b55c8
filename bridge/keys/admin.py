"""The admin token of a node: a file of its owner, made on first use."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["admin_token"]


def admin_token(file: Path) -> str:
    """The admin token of this node, readable by its owner alone (mode 600).

    Safe to call from several processes at once, and to be killed in: the file appears with its
    token in it or not at all, for an empty file would be a token that anybody can guess.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(secrets.token_urlsafe(32) + "\n", "ascii")
        with suppress(FileExistsError):
            os.link(draft, file)  # unlike a rename, this never replaces the token of another
        draft.unlink()
    return file.read_text("ascii").strip()
