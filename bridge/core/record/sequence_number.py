"""MSH-13: what a sender's running number says about messages that did not come.

HL7 v2.5.1 ch. 2.10.1 (sequence number protocol): positive numbers rise by one; 0 and -1 start over.
"""

from dataclasses import dataclass

__all__ = ["Step", "step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where the count stands after a message, and what was odd about it."""

    last: int | None
    code: str = ""
    """`sequence-gap`, `sequence-back`, or empty."""
    detail: str = ""


def step(last: int | None, number: int) -> Step:
    """From the number of the sender's last message to that of this one.

    Args:
        last: None where nothing is known or the sender started over.
        number: MSH-13 of this message, which is no resend.
    """
    if number <= 0:
        return Step(last=None)
    if last is None or number == last + 1:
        return Step(last=number)
    if number > last:
        missing = number - last - 1
        text = f"MSH-13 went from {last} to {number}: {missing} did not come over this node"
        return Step(last=number, code="sequence-gap", detail=text)
    return Step(last=number, code="sequence-back", detail=f"MSH-13 went from {last} to {number}")
