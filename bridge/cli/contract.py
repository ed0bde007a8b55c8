"""`fhir-anchor contract`: deploy CheckpointAnchor once, and show what this node anchors to."""

import sys
from collections.abc import Sequence

from bridge.chain.contract import NOBODY, Registration
from bridge.chain.deploy import Deployment
from bridge.core.ids import sha256

__all__ = ["say_contract", "say_registration"]


def say_contract(state: str, contract: Deployment) -> None:
    """What anybody needs to pin it in a trust file."""
    sys.stdout.write(
        f"{state}\n  chain      {contract.chain}\n  address    {contract.address}\n"
        f"  code hash  {contract.code_hash}\n  log id     {contract.log_id}\n"
        f"  owner      {contract.owner}\n"
    )


def say_registration(found: Registration, keys: Sequence[str]) -> None:
    """What the contract says of the log; `keys` are this node's verifier keys, the newest first."""
    named = next((key for key in keys if sha256(key.encode()) == found.key_hash), "")
    which = named or f"of none of this node's keys: SHA-256 0x{found.key_hash.hex()}"
    if named and named != keys[0]:
        which += "  (a former key; `contract change-key` names the newest)"
    lines = [f"on the chain\n  owner      {found.owner}"]
    if found.pending_owner != NOBODY:
        lines.append(f"  offered to {found.pending_owner}")
    lines += [f"  anchorer   {found.anchorer}", f"  key        {which}"]
    if found.successor != NOBODY:
        lines.append(
            f"  closed     goes on at {found.successor} log 0x{found.successor_log_id.hex()}"
        )
    sys.stdout.write("\n".join(lines) + "\n")
