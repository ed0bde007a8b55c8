"""The sender of owed application acknowledgements: one MLLP connection an answer."""

import socket

from adapters.hl7v2.exchange import initiated, outcome
from adapters.hl7v2.mllp import Frame, Framer, frame
from bridge.core.errors import BridgeError
from bridge.flows.deliver import Outcome
from bridge.ports.answers import Owed

__all__ = ["send_answer"]

CONNECT_S, ANSWER_S = 5.0, 20.0
ANSWER_LIMIT = 64 * 1024
"""Bytes of the receiver's answer; a CA has some hundred."""


def send_answer(owed: Owed) -> Outcome:
    """Bring it, wait for the receiver's answer; whatever goes wrong is `later`."""
    host, _, port = owed.address.rpartition(":")
    message = initiated(owed.answer)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S) as line:
            line.settimeout(ANSWER_S)
            line.sendall(frame(message))
            response = _answer(line)
    except (OSError, BridgeError):
        return "later"
    return outcome(response, message) if response else "later"


def _answer(line: socket.socket) -> bytes:
    framer = Framer(frame_limit=ANSWER_LIMIT)
    while data := line.recv(8192):
        for event in framer.feed(data):
            if isinstance(event, Frame):
                return event.payload
    return b""
