"""The calendar client against two real calendars on loopback, built on the reference library."""

import pytest
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

from bridge.chain.opentimestamps import OpenTimestamps
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.ots import BitcoinAttestation, attestations, parse_ots
from tests.stamping import HEIGHT, Calendar, serving

NOTE = b"a signed checkpoint\n"
Pair = tuple[Calendar, Calendar]


def _client(calendars: Pair) -> OpenTimestamps:
    return OpenTimestamps([one.url + "/" for one in calendars])


def test_promise_of_both_becomes_a_proof(calendars: Pair) -> None:
    """Two calendars promise; when one of them is in a block, the proof is complete."""
    client = _client(calendars)
    promise = client.stamp(NOTE)
    early = client.upgrade(promise)
    calendars[1].mine()

    proof = client.upgrade(promise)

    assert (promise.complete, early) == (False, None)
    assert proof is not None
    assert proof.complete
    found = [one for _, one in attestations(parse_ots(proof.data))]
    assert BitcoinAttestation(height=HEIGHT) in found
    assert len(found) == 3


def test_reference_library_reads_what_is_stored(calendars: Pair) -> None:
    """The same digest and the same attestations, before and after the upgrade."""
    client = _client(calendars)
    promise = client.stamp(NOTE)
    calendars[0].mine()
    proof = client.upgrade(promise)

    assert proof is not None
    for token in (promise, proof):
        context = BytesDeserializationContext(token.data)
        theirs = DetachedTimestampFile.deserialize(context)
        ours = parse_ots(token.data)
        assert theirs.file_digest == ours.message
        messages = sorted(message for message, _ in theirs.timestamp.all_attestations())
        assert messages == sorted(message for message, _ in attestations(ours))


def test_one_calendar_that_is_down_does_not_matter(calendars: Pair) -> None:
    """The other one's promise is enough."""
    calendars[0].failing = True

    promise = _client(calendars).stamp(NOTE)

    assert len(list(attestations(parse_ots(promise.data)))) == 1


def test_all_calendars_down_is_a_peers_fault(calendars: Pair) -> None:
    """So the flow tries again later."""
    for one in calendars:
        one.failing = True

    with pytest.raises(BridgeError, match=r"nothing usable: HTTP 503 \(127.0.0.1:") as caught:
        _client(calendars).stamp(NOTE)

    assert caught.value.fault is Fault.PEER


def test_upgrade_calls_no_address_that_the_operator_did_not_name(calendars: Pair) -> None:
    """A proof may name any calendar; following it would let strangers aim our requests."""
    promise = _client(calendars).stamp(NOTE)
    others = OpenTimestamps(["http://127.0.0.1:9", "http://127.0.0.1:10"])
    before = [len(one.asked) for one in calendars]

    assert others.upgrade(promise) is None
    assert [len(one.asked) for one in calendars] == before


@pytest.mark.parametrize(
    "answer", [b"", b"\x00", b"\xf0\x04over", bytes(20_000)], ids=["nothing", "cut", "open", "huge"]
)
def test_lying_calendar_is_refused(answer: bytes) -> None:
    """What does not read as a timestamp of our digest is never stored."""
    with serving(lambda *_: (200, answer)) as one, serving(lambda *_: (200, answer)) as two:
        client = OpenTimestamps([one, two])

        with pytest.raises(BridgeError) as caught:
            client.stamp(NOTE)

    assert caught.value.fault is Fault.PEER


def test_one_calendar_alone_is_refused() -> None:
    """It may vanish with its promise; the same one named twice is one."""
    with pytest.raises(BridgeError, match=r"1 calendars are named, at least 2 are asked"):
        OpenTimestamps(["http://a.example", "http://a.example/"])
