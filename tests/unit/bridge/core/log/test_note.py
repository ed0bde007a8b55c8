"""Signed notes: what is read, what is believed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError, Fault
from bridge.core.log.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    KeyKind,
    SignedNote,
    SigningKey,
    VerifierKey,
    decode_base64,
    open_note,
    parse_note,
)

KEY = SigningKey(name="log.example/a", seed=bytes(range(32)))
OTHER = SigningKey(name="log.example/b", seed=bytes(32))
TEXT = b"three\n\nlines\n"


def note(*keys: SigningKey, text: bytes = TEXT) -> bytes:
    """A note signed by the keys."""
    return SignedNote(text=text, signatures=tuple(key.sign(text) for key in keys)).encode()


def test_note_opens_for_whoever_knows_a_key() -> None:
    """The text runs to the last empty line; signatures of unknown keys are kept apart."""
    opened = open_note(note(OTHER, KEY), [KEY.verifier])

    assert opened.text == TEXT
    assert [one.name for one in opened.verified] == ["log.example/a"]
    assert [one.name for one in opened.unverified] == ["log.example/b"]


def test_both_keys_of_a_rotation_are_verified() -> None:
    """A log that signs with its old and its new key satisfies who knows either or both."""
    renewed = SigningKey(name=KEY.name, seed=b"\1" * 32)

    opened = open_note(note(KEY, renewed), [KEY.verifier, renewed.verifier])

    assert [one.key_id for one in opened.verified] == [KEY.verifier.key_id, renewed.verifier.key_id]


@given(st.integers(0, len(TEXT) - 2), st.integers(0x20, 0x7E))
def test_changed_text_is_refused(at: int, byte: int) -> None:
    """No byte of the text can change under a signature."""
    signed = bytearray(note(KEY))
    if signed[at] == byte or signed[at] == 0x0A:
        return
    signed[at] = byte

    with pytest.raises(BridgeError, match=r"the signature does not fit the text \(signature of"):
        open_note(bytes(signed), [KEY.verifier])


def test_note_of_strangers_is_refused() -> None:
    """A note that no known key signed says nothing."""
    with pytest.raises(BridgeError, match=r"no known key signed the note \(note\) - check name"):
        open_note(note(OTHER), [KEY.verifier])


def test_one_wrong_signature_spoils_the_note() -> None:
    """A good signature does not excuse a wrong one by another known key."""
    mixed = SignedNote(text=TEXT, signatures=(KEY.sign(TEXT), OTHER.sign(b"other\n"))).encode()

    with pytest.raises(BridgeError, match=r"signature of log\.example/b"):
        open_note(mixed, [KEY.verifier, OTHER.verifier])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no signature lines"),
        (TEXT, "no signature lines|em dash"),
        (note(KEY)[:-1], "no signature lines"),
        (note(KEY).replace(b"three", b"th\tee"), "control character"),
        (note(KEY).replace(b"three", b"th\xffee"), "not UTF-8"),
        (note(KEY).replace("\u2014 ".encode(), b"- "), "not an em dash, a name and base64"),
        (note(KEY).replace(b"example/a ", b"example/+ "), "not an em dash, a name and base64"),
        (note(KEY) + b"more\n", "not an em dash, a name and base64"),
        (note(KEY) + "\u2014 x AAAA\n".encode(), "not an em dash, a name and base64"),
        (note(KEY, *[OTHER] * MAX_SIGNATURES), "over 100 signatures"),
        (b"x" * (MAX_NOTE + 1), "at most 1048576 are read"),
    ],
    ids=[
        "nothing", "text alone", "cut short", "tab", "not UTF-8", "hyphen", "plus in a name",
        "line behind", "id alone", "many signatures", "huge",
    ],
)  # fmt: skip
def test_malformed_note_is_refused(data: bytes, message: str) -> None:
    """A note has one form; the reader guesses nothing."""
    with pytest.raises(BridgeError, match=message) as caught:
        open_note(data, [KEY.verifier])

    assert (caught.value.code, caught.value.fault) == ("note-form", Fault.PEER)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_round_trips(text: str) -> None:
    """Text that has no control characters comes back as it was signed."""
    signed = note(KEY, OTHER, text=text.encode() + b"\n")

    assert parse_note(signed).encode() == signed
    assert open_note(signed, [KEY.verifier]).text == text.encode() + b"\n"


def test_keys_round_trip_and_hide_their_seed() -> None:
    """Both text forms read back; a printed signing key shows no secret."""
    assert SigningKey.parse(KEY.encode()) == KEY
    assert VerifierKey.parse(KEY.verifier.encode()) == KEY.verifier
    assert "seed" not in repr(KEY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (KEY.verifier.encode(), "does not begin with PRIVATE"),
        (KEY.encode().replace("log.example/a", "log.example/c"), "hash or kind does not fit"),
        (KEY.encode()[:-4], r"not of a known kind|not written as"),
    ],
    ids=["public key", "renamed", "cut short"],
)
def test_damaged_signing_key_is_refused_without_repeating_it(text: str, message: str) -> None:
    """The error names the fault and never the key."""
    with pytest.raises(BridgeError, match=message) as caught:
        SigningKey.parse(text)

    assert text[-20:] not in str(caught.value)


@pytest.mark.parametrize("public", [bytes(32), b"\xef" + b"\xff" * 30 + b"\x7f"])
def test_degenerate_verifier_key_is_refused(public: bytes) -> None:
    """A point of low order signs anything; a non-canonical one has a second name."""
    key = VerifierKey(name="log.example/a", kind=KeyKind.LOG, public=public)

    with pytest.raises(BridgeError, match="low order or not in canonical form"):
        VerifierKey.parse(key.encode())


@pytest.mark.parametrize("text", ["AA", "AA=", "AB==", "A A=", "AA==\n", "--__", "\u0660A=="])
def test_second_spelling_of_base64_is_refused(text: str) -> None:
    """One value has one spelling: padding, alphabet and spare bits are fixed."""
    assert decode_base64(text) is None
    assert decode_base64("AA==") == base64.b64decode("AA==")
