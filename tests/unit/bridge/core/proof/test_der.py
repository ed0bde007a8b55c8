"""DER: one spelling a value, nothing trailing, everything bounded."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.proof.der import (
    INTEGER,
    SEQUENCE,
    TIME,
    encode,
    encode_integer,
    encode_oid,
    parse_der,
)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 70_000])
def test_lengths_round_trip(size: int) -> None:
    """In the shortest form, which is the only one that is read."""
    data = encode(0x04, bytes(size))

    assert parse_der(data).value == bytes(size)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 1 << 64])
def test_whole_numbers_round_trip(number: int) -> None:
    """With a leading zero where the first bit would be a sign."""
    assert parse_der(encode_integer(number)).integer() == number


@pytest.mark.parametrize("text", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "0.9.2342"])
def test_object_identifiers_round_trip(text: str) -> None:
    """Dotted form to bytes and back."""
    assert parse_der(encode_oid(text)).oid() == text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "0 elements where one", id="nothing"),
        pytest.param(b"\x05\x00\x05\x00", "2 elements where one", id="trailing"),
        pytest.param(b"\x04\x02a", "cut", id="cut"),
        pytest.param(b"\x04", "cut", id="no-length"),
        pytest.param(b"\x1f\x81\x00", "several bytes", id="long-tag"),
        pytest.param(b"\x30\x80\x00\x00", "indefinite", id="indefinite"),
        pytest.param(b"\x04\x81\x01a", "shortest form", id="long-length"),
        pytest.param(b"\x04\x82\x00\x80" + bytes(128), "shortest form", id="padded-length"),
        pytest.param(b"\x04\x84\x01\x00\x00\x00", "too large", id="huge-length"),
        pytest.param(b"\x30\x84" + b"\x05\x00" * 600, "too large", id="absurd"),
    ],
)
def test_other_spellings_are_refused(data: bytes, words: str) -> None:
    """BER's freedoms would let a token be altered without a trace."""
    with pytest.raises(BridgeError, match=words):
        parse_der(data)


@pytest.mark.parametrize("value", [b"", b"\x00\x01", b"\xff\xff", bytes(65)])
def test_whole_number_in_another_form_is_refused(value: bytes) -> None:
    """Empty, padded, or longer than any serial number."""
    with pytest.raises(BridgeError, match="a whole number is empty, too long"):
        parse_der(encode(INTEGER, value)).integer()


@pytest.mark.parametrize("value", [b"", b"\x80\x01", b"\x2a\x80\x01", b"\x2a\x81", bytes(65)])
def test_object_identifier_in_another_form_is_refused(value: bytes) -> None:
    """Empty, padded, cut or absurdly long."""
    with pytest.raises(BridgeError, match="an object identifier is"):
        parse_der(encode(0x06, value)).oid()


@pytest.mark.parametrize(
    ("text", "cut"), [(b"20260921141320Z", False), (b"20260921141320.25Z", True)]
)
def test_times_are_whole_seconds_in_utc(text: bytes, *, cut: bool) -> None:
    """A fraction is cut off and said."""
    moment, was_cut = parse_der(encode(TIME, text)).time_text()

    assert (moment.isoformat(), was_cut) == ("2026-09-21T14:13:20+00:00", cut)


@pytest.mark.parametrize(
    "text", [b"20260921141320", b"2609211413Z", b"20260921141320.50Z", b"20261321141320Z"]
)
def test_time_in_another_form_is_refused(text: bytes) -> None:
    """Local times, short years, trailing zeros and days that do not exist."""
    with pytest.raises(BridgeError, match="a time "):
        parse_der(encode(TIME, text)).time_text()


def test_too_many_elements_are_refused() -> None:
    """A bound on what a stranger makes us walk."""
    with pytest.raises(BridgeError, match="more than 512 elements"):
        parse_der(encode(SEQUENCE, b"\x05\x00" * 513)).children()


def test_wrong_kind_of_element_is_named() -> None:
    """By both tags."""
    with pytest.raises(BridgeError, match="tag 0x05 where 0x30 is expected"):
        parse_der(b"\x05\x00").children(SEQUENCE)
    with pytest.raises(BridgeError, match="2 elements where one is expected"):
        parse_der(encode(SEQUENCE, b"\x05\x00\x05\x00")).inside(0x05)
