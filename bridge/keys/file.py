"""The log's Ed25519 key in a file that only its owner may read.

One key a line, `PRIVATE+KEY+name+hash+base64` as golang.org/x/mod/sumdb/note writes it; lines that
begin with # are comments. The first key is the log's; further ones sign beside it. A rotation puts
a new key first; the old one signs on beside it until it is retired, which leaves its public half in
a comment `# RETIRED name+hash+base64 UNTIL size`: it verifies checkpoints up to that size for
ever, and larger ones never. The file is read whenever something is signed, so that no process goes
on with a former key. Anyone who can read the file can fork the log; a key service in its place is
the same port.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import TreeSize
from bridge.core.log.note import SignedNote, SigningKey, VerifierKey
from bridge.core.proof.trust import LogKey
from bridge.durable import create_file, replace_file
from bridge.ports.sources import Entropy

__all__ = ["FileSigner", "open_signer", "retire_keys", "rotate_key"]

MAX_FILE = 1 << 16
"""Bytes: some hundred keys; anything larger is another file."""
SEED_SIZE = 32
RETIRED, UNTIL = "# RETIRED ", " UNTIL "
NOTICE = (
    "# The log's signing key. Whoever reads this can sign in the log's name. Keep a copy safe.\n"
)


class FileSigner:
    """The port `Signer` over the keys that stand in the file now, the first the log's own."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path

    @property
    def name(self) -> str:
        """Name of the first key."""
        return _read(self._path)[0][0].name

    @property
    def verifier_key(self) -> str:
        """Public half of the first key."""
        return self.verifier_keys[0]

    @property
    def verifier_keys(self) -> tuple[str, ...]:
        """Public halves of every key that ever signed: those in use, then the retired ones."""
        return tuple(one.key.encode() for one in self.log_keys)

    @property
    def log_keys(self) -> tuple[LogKey, ...]:
        """The same as a trust file has them, with what is believed of each."""
        keys, retired = _read(self._path)
        verifiers = (key.verifier for key in keys)
        return (*(LogKey(origin=one.name, key=one) for one in verifiers), *retired)

    def sign(self, note_text: bytes) -> bytes:
        """A note signed by every key, the first one first."""
        signatures = tuple(key.sign(note_text) for key in _read(self._path)[0])
        return SignedNote(text=note_text, signatures=signatures).encode()


def open_signer(path: Path, *, origin: str, entropy: Entropy) -> FileSigner:
    """The signer of a key file, which is made with a fresh key on first use.

    Safe against two processes starting at once: one makes the file, both read it.

    Raises:
        BridgeError: `key-file` with fault OPERATOR when the file is readable by others, belongs to
            another user, is no key file, or its first key has another name than `origin`.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = SigningKey(name=origin, seed=entropy.take(SEED_SIZE))
        create_file(path, _text([key]))
    keys, _ = _read(path)
    if keys[0].name != origin:
        raise _refusal(
            f"the first key is named {keys[0].name!r}, the log's origin is {origin!r}",
            path,
            "set log.origin to that name, or point to the key file of this log",
        )
    return FileSigner(path)


def rotate_key(path: Path, *, entropy: Entropy) -> str:
    """Put a fresh key first; the former one signs on beside it. The new verifier key's text.

    Raises:
        BridgeError: `key-file`, also while an earlier rotation waits for its former key to retire.
    """
    keys, retired = _read(path)
    if len(keys) > 1:
        raise _refusal(
            f"{len(keys)} keys are in use already", path, "run `fhir-anchor keys retire` first"
        )
    fresh = SigningKey(name=keys[0].name, seed=entropy.take(SEED_SIZE))
    replace_file(path, _text((fresh, *keys), retired))
    return fresh.verifier.encode()


def retire_keys(path: Path, *, until: TreeSize) -> tuple[str, ...]:
    """Keep the first key alone, and of the others their public halves, which are returned.

    Args:
        path: the key file.
        until: size of the newest checkpoint, which the first key signed, too: every larger one
            has its signature, so that nobody needs those of the others.

    Raises:
        BridgeError: `key-file`.
    """
    keys, retired = _read(path)
    gone = tuple(LogKey(origin=key.name, key=key.verifier, until=until) for key in keys[1:])
    if gone:
        replace_file(path, _text(keys[:1], (*gone, *retired)))
    return tuple(one.key.encode() for one in gone)


def _text(keys: Sequence[SigningKey], retired: Sequence[LogKey] = ()) -> bytes:
    lines = (*(key.encode() for key in keys), *map(_retired_line, retired))
    return (NOTICE + "".join(f"{line}\n" for line in lines)).encode()


def _retired_line(one: LogKey) -> str:
    return f"{RETIRED}{one.key.encode()}" + ("" if one.until is None else f"{UNTIL}{one.until}")


def _retired(line: str) -> LogKey:
    """The inverse of `_retired_line`; a key without a size was retired before sizes were kept."""
    text, _, size = line.removeprefix(RETIRED).partition(UNTIL)
    key = VerifierKey.parse(text.strip())
    known = size.strip().isdecimal()
    return LogKey(origin=key.name, key=key, until=TreeSize(int(size)) if known else None)


def _read(path: Path) -> tuple[tuple[SigningKey, ...], tuple[LogKey, ...]]:
    """Keys in use, and the public halves of retired ones."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        what = f"the key file cannot be opened: {error.strerror}"
        raise _refusal(what, path, "make it a plain file of this user") from None
    try:
        _check_owner(os.fstat(descriptor), path)
        data = os.read(descriptor, MAX_FILE + 1)
    finally:
        os.close(descriptor)
    lines = data.decode("ascii", "replace").splitlines()
    keys = tuple(
        SigningKey.parse(line.strip()) for line in lines if line.strip() and line[0] != "#"
    )
    if not keys or len(data) > MAX_FILE:
        raise _refusal("the file holds no key", path, "restore it from its copy")
    return keys, tuple(_retired(line) for line in lines if line.startswith(RETIRED))


def _check_owner(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise _refusal("the key file is not a plain file of this user", path, "chown it to us")
    if found.st_mode & 0o077:
        raise _refusal(
            f"the key file has mode {stat.S_IMODE(found.st_mode):o}: others may read it",
            path,
            f"run chmod 600 {path}, and replace the key if it may have been read",
        )


def _refusal(what: str, path: Path, do: str) -> BridgeError:
    return BridgeError("key-file", Fault.OPERATOR, what=what, where=str(path), do=do)
