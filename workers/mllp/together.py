"""Several messages in one frame: each is stored by itself, and one frame answers them all.

HL7 v2.5.1 ch. 2.10.3: a batch is acknowledged by a batch. A sender that waits for one answer a
frame gets one, also where it wrote message after message without an envelope.
"""

from typing import Final

from adapters.hl7v2.ack import answer_together
from adapters.hl7v2.batch import Batch, may_hold_several, split
from adapters.hl7v2.mllp import frame, unframed
from bridge.ports.sources import Clock

__all__ = ["Together", "messages_of"]

MOST: Final = 10_000
"""Messages of one frame: what waits in the line of a connection is held in memory."""


def messages_of(payload: bytes) -> Batch:
    """The messages of a frame; what holds too many is given whole, and refused as a batch is."""
    if not may_hold_several(payload):
        return Batch(messages=(payload,))
    found = split(payload)
    return found if len(found.messages) <= MOST else Batch(messages=(payload,))


class Together:
    """The answers to the messages of one frame, gathered until the last is there."""

    __slots__ = ("_answers", "_broken", "_clock", "_envelope", "_missing")

    def __init__(self, batch: Batch, clock: Clock) -> None:
        """None is there yet."""
        self._envelope, self._clock = batch.envelope, clock
        self._answers: list[bytes] = []
        self._missing = len(batch.messages)
        self._broken = False

    def gather(self, reply: bytes, *, stored: bool) -> bytes:
        """What leaves now: nothing while some are missing, then the frame of all of them.

        Args:
            reply: the frames that would answer the next message alone; empty where none is owed.
            stored: or refused. Where one is to come again and the line breaks to say so, nothing
                leaves: the answers to the others would be taken for those to all.
        """
        self._answers += unframed(reply)
        self._broken = self._broken or not (stored or reply)
        self._missing -= 1
        if self._missing or self._broken or not self._answers:
            return b""
        return frame(answer_together(self._envelope, self._answers, at=self._clock.now()))
