"""What a time-stamp token says: which digest, when, what else. RFC 3161 s2.4.2.

Every element is read in its order. An extension that is marked critical and not known here refuses
the token: its authority said that without understanding it nothing may be relied on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes

from bridge.core.proof.der import (
    BOOLEAN,
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    Element,
    context,
    parse_der,
    refuse_form,
)

__all__ = ["HASHES", "SHA256", "TimeStampInfo", "hash_of", "parse_info"]

SHA256: Final = "2.16.840.1.101.3.4.2.1"
HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    SHA256: hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
"""SHA-1 and older are refused: a digest that can be collided proves nothing."""
_OPTIONAL: Final = (SEQUENCE, BOOLEAN, INTEGER, context(0), context(1))
"""Behind the time: accuracy, ordering, nonce, tsa, extensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStampInfo:
    """A TSTInfo of version 1."""

    algorithm: hashes.HashAlgorithm
    digest: bytes
    """Of what was stamped."""
    time: datetime
    """By the authority's clock, UTC, whole seconds."""
    latest: datetime
    """The latest moment that this allows: a fraction rounded up, and the accuracy added."""
    nonce: int | None


def parse_info(data: bytes) -> TimeStampInfo:
    """Read the signed content.

    Raises:
        BridgeError: `token-form`.
    """
    version, _, imprint, _, time, *rest = parse_der(data).at_least(5)
    if version.integer() != 1:
        refuse_form("the time-stamp is not of version 1")
    algorithm, digest = imprint.exactly(2)
    more = _optional(rest)
    _check_extensions(more.get(context(1)))
    moment, cut = time.time_text()
    nonce = more.get(INTEGER)
    return TimeStampInfo(
        algorithm=hash_of(algorithm),
        digest=digest.expect(OCTETS).value,
        time=moment,
        latest=_later(moment, timedelta(seconds=int(cut)) + _accuracy(more.get(SEQUENCE))),
        nonce=None if nonce is None else nonce.integer(),
    )


def hash_of(algorithm: Element) -> hashes.HashAlgorithm:
    """The digest that an AlgorithmIdentifier names; parameters are not looked at."""
    name = algorithm.at_least(1)[0].expect(OID).oid()
    if name not in HASHES:
        refuse_form(f"the digest algorithm {name} is not SHA-256, SHA-384 or SHA-512")
    return HASHES[name]


def _optional(rest: Sequence[Element]) -> dict[int, Element]:
    """By tag; each at most once and in its order."""
    tags = [one.tag for one in rest]
    if tags != [tag for tag in _OPTIONAL if tag in tags]:
        refuse_form("the elements behind the time are not those of a time-stamp")
    return {one.tag: one for one in rest}


def _check_extensions(extensions: Element | None) -> None:
    for one in extensions.children() if extensions else ():
        name, *flag = one.at_least(2)[:-1]
        if len(flag) > 1 or (flag and flag[0].boolean()):
            refuse_form(f"the critical extension {name.oid()} is not known here")


def _accuracy(element: Element | None) -> timedelta:
    """Rounded up to whole seconds."""
    parts = element.children() if element else ()
    seconds = parts[0].integer() if parts and parts[0].tag == INTEGER else 0
    finer = any(one.tag != INTEGER for one in parts)
    if not 0 <= seconds <= 86_400:
        refuse_form("the accuracy is not within a day")
    return timedelta(seconds=seconds + finer)


def _later(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        refuse_form("the time lies beyond the year 9999")
