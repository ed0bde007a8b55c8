"""An access becomes durable, with its promised leaf, in the transaction of what it speaks of."""

from bridge.core.ids import record_id
from bridge.core.policy.access import Caller
from bridge.core.policy.audit import Shown, access_event, access_leaf
from bridge.core.record.claims import ACCESS_NAMES, SALT_SIZE
from bridge.ports.reading import Access, Reading
from bridge.ports.sources import Clock, Entropy

__all__ = ["note_access"]

ID_SIZE = 10


def note_access(
    shown: Shown, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> None:
    """Store who was shown what, or did what, with the open unit: when that fails, all of it does.

    Raises:
        BridgeError: `store-...`.
    """
    at, random = clock.now(), entropy.take(ID_SIZE + len(ACCESS_NAMES) * SALT_SIZE)
    access, salts = record_id(at, random[:ID_SIZE]), random[ID_SIZE:]
    event = access_event(shown, caller=caller, access=access, at=at)
    reading.keep_access(
        Access(
            id=access,
            at=at,
            event=event,
            salts=salts,
            leaf=access_leaf(event, salts),
            patients=shown.patients,
        )
    )
