"""An application acknowledgement that starts an exchange, and what its receiver says."""

import pytest

from adapters.hl7v2.exchange import initiated, outcome
from adapters.hl7v2.header import read_header

ANSWER = b"MSH|^~\\&|US|X|LAB|HOSP|20261122||ACK^A01^ACK|A1|P|2.5.1|||NE|NE\rMSA|AA|7\r"


def test_answer_asks_for_an_accept_acknowledgement() -> None:
    """MSH-15 is AL; nothing else changes."""
    made = initiated(ANSWER)

    assert read_header(made).field(15) == b"AL"
    assert made.replace(b"|AL|", b"|NE|") == ANSWER


def test_short_header_is_filled_up() -> None:
    """MSH-15 stands in its place, also where the answer stopped at MSH-12."""
    made = initiated(b"MSH|^~\\&|||||||ACK|A1|P|2.5.1\rMSA|AA|7\r")

    assert read_header(made).field(15) == b"AL"
    assert made.endswith(b"\rMSA|AA|7\r")


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        (b"MSH|^~\\&\rMSA|CA|A1\r", "taken"),
        (b"MSH|^~\\&\nMSA|AA|A1", "taken"),
        (b"MSH#^~\\&\rMSA#CA#A1\r", "taken"),
        (b"MSH|^~\\&\rMSA|CR|A1\r", "later"),
        (b"MSH|^~\\&\rMSA|CE|A1\r", "never"),
        (b"MSH|^~\\&\rMSA|AR|A1\r", "never"),
        (b"MSH|^~\\&\rMSA|CA|other\r", "later"),
        (b"MSH|^~\\&\r", "later"),
        (b"HTTP/1.1 400", "later"),
        (b"", "later"),
    ],
)
def test_receiver_is_understood(response: bytes, wanted: str) -> None:
    """Only a clear yes ends the debt, only a clear no gives it up."""
    assert outcome(response, ANSWER) == wanted
