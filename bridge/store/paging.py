"""Page tokens: where the last page ended, bound to who asked for what.

A token holds ids and times of ours, never a clinical value. It is bound so that a link handed to
another caller, or used with another query, is refused; it grants nothing by itself.
"""

import base64
import binascii
import hmac
from datetime import datetime

import msgspec

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, instant, instant_text, sha256

__all__ = ["bound", "opened", "page_token"]

MAX_TOKEN = 1_000
"""Characters: an id, a time and a binding are under 200."""


class _Token(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    binding: str
    id: str
    at: datetime


def bound(*parts: str) -> str:
    """A binding to caller and query."""
    return sha256(b"".join(len(p.encode()).to_bytes(4) + p.encode() for p in parts)).hex()[:32]


def page_token(binding: str, name: str, at: Instant) -> str:
    """The text of a `next` link."""
    token = msgspec.json.encode([binding, name, instant_text(at)])
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def opened(token: str, binding: str) -> tuple[str, Instant]:
    """Id and time of the last row of the page before; the inverse of `page_token`.

    Raises:
        BridgeError: `page-token` when it is none of ours, or bound to another caller or query or
            to other records of the person.
    """
    try:
        data = base64.b64decode(token[:MAX_TOKEN] + "==", altchars=b"-_")
        found = msgspec.json.decode(data, type=_Token)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise _refusal("this is no page token of this server") from error
    if not hmac.compare_digest(found.binding.encode(), binding.encode()):
        raise _refusal(
            "records were merged since, or the page token is of another caller or another query"
        )
    return found.id, instant(found.at)


def _refusal(what: str) -> BridgeError:
    return BridgeError(
        "page-token", Fault.SENDER, what=what, where="page", do="start again without it"
    )
