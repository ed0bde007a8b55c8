"""The key file: made once, private, ready for a rotation."""

import os
import stat
from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import TreeSize
from bridge.core.log.note import SigningKey, VerifierKey, open_note
from bridge.keys.file import open_signer, retire_keys, rotate_key
from tests.fakes.sources import CountedEntropy

ORIGIN = "log.example/test"


def test_key_is_made_on_first_use_and_kept(tmp_path: Path) -> None:
    """The second start signs with the key of the first; only the owner can read the file."""
    path = tmp_path / "keys" / "log.key"

    first = open_signer(path, origin=ORIGIN, entropy=CountedEntropy())
    second = open_signer(path, origin=ORIGIN, entropy=CountedEntropy())

    assert first.sign(b"text\n") == second.sign(b"text\n")
    assert first.verifier_key == second.verifier_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["log.key"]


def test_note_opens_with_the_published_key(tmp_path: Path) -> None:
    """What the file signs, its verifier key verifies; the name is the origin."""
    signer = open_signer(tmp_path / "log.key", origin=ORIGIN, entropy=CountedEntropy())

    opened = open_note(signer.sign(b"text\n"), [VerifierKey.parse(signer.verifier_key)])

    assert (opened.text, signer.name) == (b"text\n", ORIGIN)


def test_process_that_loses_the_race_uses_the_key_of_the_winner(tmp_path: Path) -> None:
    """A file that appears while ours is being written is never replaced."""
    path = tmp_path / "log.key"
    winner = SigningKey(name=ORIGIN, seed=b"w" * 32)

    class Slow(CountedEntropy):
        def take(self, size_bytes: int) -> bytes:
            path.write_text(winner.encode())
            path.chmod(0o600)
            return super().take(size_bytes)

    signer = open_signer(path, origin=ORIGIN, entropy=Slow())

    assert signer.verifier_key == winner.verifier.encode()


def test_rotation_signs_with_both_keys(tmp_path: Path) -> None:
    """The first line is the log's key; who knows only the old one still verifies."""
    path = tmp_path / "log.key"
    new, old = SigningKey(name=ORIGIN, seed=b"n" * 32), SigningKey(name=ORIGIN, seed=b"o" * 32)
    path.write_text(f"# new\n{new.encode()}\n\n{old.encode()}\n")
    path.chmod(0o600)

    signer = open_signer(path, origin=ORIGIN, entropy=CountedEntropy())
    note = signer.sign(b"text\n")

    assert signer.verifier_key == new.verifier.encode()
    assert open_note(note, [old.verifier]).verified[0].key_id == old.verifier.key_id
    assert open_note(note, [new.verifier]).verified[0].key_id == new.verifier.key_id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700 | 0o010])
def test_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message has the command that mends it."""
    path = tmp_path / "log.key"
    open_signer(path, origin=ORIGIN, entropy=CountedEntropy())
    path.chmod(mode)

    with pytest.raises(BridgeError, match=rf"has mode {mode:o}: others may read it .* chmod 600"):
        open_signer(path, origin=ORIGIN, entropy=CountedEntropy())


def test_key_behind_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """A link can be pointed elsewhere by whoever owns the folder."""
    real = tmp_path / "real.key"
    open_signer(real, origin=ORIGIN, entropy=CountedEntropy())
    (tmp_path / "log.key").symlink_to(real)

    with pytest.raises(BridgeError, match="cannot be opened"):
        open_signer(tmp_path / "log.key", origin=ORIGIN, entropy=CountedEntropy())


def test_folder_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    """Only a plain file holds a key."""
    with pytest.raises(BridgeError, match="not a plain file of this user"):
        open_signer(tmp_path, origin=ORIGIN, entropy=CountedEntropy())


def test_key_of_another_log_is_refused(tmp_path: Path) -> None:
    """The name of the key is the origin that strangers know."""
    path = tmp_path / "log.key"
    open_signer(path, origin="log.example/other", entropy=CountedEntropy())

    with pytest.raises(BridgeError, match=r"named 'log.example/other', the log's origin is"):
        open_signer(path, origin=ORIGIN, entropy=CountedEntropy())


@pytest.mark.parametrize("content", ["", "# nothing\n", "x" * 70_000])
def test_file_without_a_key_is_refused(tmp_path: Path, content: str) -> None:
    """An emptied file is restored by a person, never filled with a new identity."""
    path = tmp_path / "log.key"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(BridgeError, match=r"holds no key|does not begin with PRIVATE"):
        open_signer(path, origin=ORIGIN, entropy=CountedEntropy())


def test_draft_of_a_crash_is_cleared(tmp_path: Path) -> None:
    """A process with the same number that died while writing does not stand in the way."""
    path = tmp_path / "log.key"
    (tmp_path / f".log.key.{os.getpid()}").write_text("half a k")

    open_signer(path, origin=ORIGIN, entropy=CountedEntropy())

    assert [one.name for one in tmp_path.iterdir()] == ["log.key"]


def test_rotated_key_signs_beside_the_former_one_until_it_is_retired(tmp_path: Path) -> None:
    """Who knows only the old key verifies until then; afterwards its public half is still known."""
    path = tmp_path / "log.key"
    entropy = CountedEntropy()
    old = open_signer(path, origin=ORIGIN, entropy=entropy).verifier_key

    new = rotate_key(path, entropy=entropy)
    signer = open_signer(path, origin=ORIGIN, entropy=entropy)
    between, known = signer.sign(b"text\n"), signer.verifier_keys
    gone = retire_keys(path, until=TreeSize(9))

    for key in (old, new):
        assert open_note(between, [VerifierKey.parse(key)]).text == b"text\n"
    with pytest.raises(BridgeError):
        open_note(signer.sign(b"text\n"), [VerifierKey.parse(old)])
    assert (gone, known, signer.verifier_keys) == ((old,), (new, old), (new, old))
    assert [(one.key.encode(), one.until) for one in signer.log_keys] == [(new, None), (old, 9)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" not in "".join(
        line for line in path.read_text().splitlines() if "RETIRED" in line
    )


def test_second_rotation_waits_for_the_first(tmp_path: Path) -> None:
    """Three keys at once are a mistake; retiring twice changes nothing."""
    path = tmp_path / "log.key"
    entropy = CountedEntropy()
    open_signer(path, origin=ORIGIN, entropy=entropy)
    rotate_key(path, entropy=entropy)

    with pytest.raises(
        BridgeError, match=r"2 keys are in use already .* `fhir-anchor keys retire`"
    ):
        rotate_key(path, entropy=entropy)

    assert (len(retire_keys(path, until=TreeSize(9))), retire_keys(path, until=TreeSize(9))) == (
        1,
        (),
    )


def test_key_retired_before_sizes_were_kept_has_none(tmp_path: Path) -> None:
    """Files of earlier nodes are read on; their operators know of no size."""
    path = tmp_path / "log.key"
    new, old = SigningKey(name=ORIGIN, seed=b"n" * 32), SigningKey(name=ORIGIN, seed=b"o" * 32)
    path.write_text(f"{new.encode()}\n# RETIRED {old.verifier.encode()}\n")
    path.chmod(0o600)

    signer = open_signer(path, origin=ORIGIN, entropy=CountedEntropy())

    assert [one.until for one in signer.log_keys] == [None, None]
