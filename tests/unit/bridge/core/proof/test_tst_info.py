"""The signed content of a time-stamp token: read in order, its latest moment rounded up."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.proof.der import (
    BOOLEAN,
    NULL,
    OCTETS,
    SEQUENCE,
    TIME,
    context,
    encode,
    encode_integer,
    encode_oid,
)
from bridge.core.proof.tst_info import SHA256, parse_info

IMPRINT = encode(
    SEQUENCE, encode(SEQUENCE, encode_oid(SHA256), encode(NULL)), encode(OCTETS, bytes(32))
)


def _info(*more: bytes, version: int = 1, time: bytes = b"20260101000000Z") -> bytes:
    head = encode_integer(version) + encode_oid("1.2.3") + IMPRINT + encode_integer(1)
    return encode(SEQUENCE, head, encode(TIME, time), *more)


@pytest.mark.parametrize(
    ("time", "accuracy", "second"),
    [
        pytest.param(b"20260101000000Z", b"", 0, id="whole"),
        pytest.param(b"20260101000000.5Z", b"", 1, id="fraction"),
        pytest.param(b"20260101000000Z", encode_integer(3), 3, id="seconds"),
        pytest.param(b"20260101000000Z", encode(context(0, constructed=False), b"\5"), 1, id="ms"),
        pytest.param(
            b"20260101000000.5Z",
            encode_integer(3) + encode(context(1, constructed=False), b"\5"),
            5,
            id="all",
        ),
    ],
)
def test_latest_moment_is_rounded_up(time: bytes, accuracy: bytes, second: int) -> None:
    """Whoever reads it may say "no later than"."""
    more = (encode(SEQUENCE, accuracy),) if accuracy else ()

    info = parse_info(_info(*more, time=time))

    assert (info.time.second, info.latest.second) == (0, second)


def test_everything_in_its_order_is_read() -> None:
    """The nonce is the whole number behind the time, wherever its neighbours are left out."""
    name = encode(context(0), encode(context(4)))
    whole = parse_info(_info(encode(SEQUENCE), encode(BOOLEAN, b"\xff"), encode_integer(7), name))

    assert (whole.nonce, whole.digest, whole.algorithm.name) == (7, bytes(32), "sha256")
    assert parse_info(_info()).nonce is None


def _extension(*parts: bytes) -> bytes:
    return encode(context(1), encode(SEQUENCE, encode_oid("1.2.3"), *parts))


@pytest.mark.parametrize(
    ("info", "words"),
    [
        pytest.param(_info(version=2), "not of version 1", id="version"),
        pytest.param(encode(SEQUENCE, encode_integer(1)), "at least 5", id="cut"),
        pytest.param(_info(encode_integer(7), encode_integer(7)), "behind the time", id="twice"),
        pytest.param(_info(encode_integer(7), encode(SEQUENCE)), "behind the time", id="order"),
        pytest.param(_info(encode(NULL)), "behind the time", id="unknown"),
        pytest.param(_info(encode(SEQUENCE, encode_integer(86_401))), "within a day", id="days"),
        pytest.param(
            _info(_extension(encode(OCTETS), encode(OCTETS))), "tag 0x04 where 0x01", id="no-truth"
        ),
        pytest.param(
            _info(_extension(encode(BOOLEAN, b"\1"), encode(OCTETS))),
            "neither 00",
            id="truth-of-ber",
        ),
    ],
)
def test_content_of_another_form_is_refused(info: bytes, words: str) -> None:
    """DER leaves one spelling, RFC 3161 one order."""
    with pytest.raises(BridgeError, match=words):
        parse_info(info)
