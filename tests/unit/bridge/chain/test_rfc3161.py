"""The authority's client against `openssl ts` behind a real door on loopback."""

import pytest

from bridge.chain.rfc3161 import TimeStampAuthority
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.rfc3161 import encode_query, encode_response
from tests.fakes.sources import CountedEntropy
from tests.stamping import Tsa, serving

NOTE = b"a signed checkpoint\n"


def _client(url: str) -> TimeStampAuthority:
    return TimeStampAuthority(url, CountedEntropy())


def test_token_is_complete_and_openssl_accepts_it(tsa: Tsa) -> None:
    """What is stored, behind a status, is a .tsr file that the standard tool verifies."""
    token = _client(tsa.url).stamp(NOTE)

    assert token.complete
    assert _client(tsa.url).upgrade(token) is None
    assert tsa.accepts(encode_response(token.data), NOTE)
    assert not tsa.accepts(encode_response(token.data), NOTE + b" ")


def test_replayed_answer_is_refused(tsa: Tsa) -> None:
    """An answer to an earlier query does not repeat our nonce."""
    recorded: list[bytes] = []

    def recording(_method: str, _path: str, body: bytes) -> tuple[int, bytes]:
        recorded.append(tsa.answer(body))
        return 200, recorded[0]

    with serving(recording) as url:
        client = _client(url)
        client.stamp(NOTE)

        with pytest.raises(BridgeError, match="does not repeat the nonce") as caught:
            client.stamp(NOTE)

    assert caught.value.fault is Fault.PEER


def test_stamp_of_other_bytes_is_refused(tsa: Tsa) -> None:
    """An authority that stamps something else of its own choice gives no token."""
    nonce = int.from_bytes(CountedEntropy().take(8))
    other = tsa.answer(encode_query(bytes(32), nonce=nonce))

    with serving(lambda *_: (200, other)) as url, pytest.raises(BridgeError, match="other bytes"):
        _client(url).stamp(NOTE)


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (500, b"x"), (200, b"<html>"), (200, b"0\x030\x01\x02")]
)
def test_useless_answer_is_a_peers_fault(status: int, body: bytes) -> None:
    """So the flow tries again later."""
    with serving(lambda *_: (status, body)) as url, pytest.raises(BridgeError) as caught:
        _client(url).stamp(NOTE)

    assert caught.value.fault is Fault.PEER
