"""An application acknowledgement as an exchange of its own: asked back for, and what comes back.

HL7 v2.5.1 ch. 2.9.3.2: the acknowledgement is sent as a message that wants an accept
acknowledgement, so that it is known to have arrived.
"""

from typing import Literal

from adapters.hl7v2.header import read_header

__all__ = ["initiated", "outcome"]

ACCEPT_TYPE = 15
"""MSH-15."""


def initiated(answer: bytes) -> bytes:
    """The answer with MSH-15 = AL; one in UTF-16 stays as it is, and so does all else."""
    header = read_header(answer)
    if header.encoding or not header.parts:
        return answer
    separator = header.delimiters.field
    msh, _, rest = answer.partition(b"\r")
    fields = msh.split(separator)
    fields += [b""] * (ACCEPT_TYPE - len(fields))
    fields[ACCEPT_TYPE - 1] = b"AL"
    return separator.join(fields) + b"\r" + rest


def outcome(response: bytes, sent: bytes) -> Literal["taken", "later", "never"]:
    """What the receiver's answer to `sent` means; an answer to something else means nothing."""
    separator = read_header(response).delimiters.field
    segments = response.replace(b"\n", b"\r").split(b"\r")
    msa = next((one.split(separator) for one in segments if one.startswith(b"MSA")), [])
    if len(msa) < 3 or msa[2].strip() != read_header(sent).field(10):
        return "later"
    match msa[1].strip():
        case b"CA" | b"AA":
            return "taken"
        case b"CE" | b"AE" | b"AR":
            return "never"
        case _:
            return "later"
