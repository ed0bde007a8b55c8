"""What a verifier believes: which key may sign which head."""

from bridge.core.ids import TreeSize
from bridge.core.log.note import VerifierKey
from bridge.core.proof.trust import LogKey, Trust
from tests.fakes import sealed

KEY = VerifierKey.parse(sealed.LOG_KEY.verifier())


def test_retired_key_is_believed_up_to_its_last_head() -> None:
    """That head included; another log's key never."""
    new = VerifierKey.parse(sealed.Key(name=sealed.ORIGIN, seed=b"\x05" * 32).verifier())
    trust = Trust(
        logs=(
            LogKey(origin=sealed.ORIGIN, key=new),
            LogKey(origin=sealed.ORIGIN, key=KEY, until=TreeSize(9)),
            LogKey(origin="log.example/other", key=KEY),
        )
    )

    assert trust.keys_of(sealed.ORIGIN, TreeSize(9)) == (new, KEY)
    assert trust.keys_of(sealed.ORIGIN, TreeSize(10)) == (new,)
    assert trust.keys_of("log.example/third", TreeSize(1)) == ()
