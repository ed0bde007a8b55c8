"""`fhir-anchor contract`: deploy CheckpointAnchor once, and show what this node anchors to."""

import sys

from bridge.chain.deploy import Deployment

__all__ = ["say_contract"]


def say_contract(state: str, contract: Deployment) -> None:
    """What anybody needs to pin it in a trust file."""
    sys.stdout.write(
        f"{state}\n  chain      {contract.chain}\n  address    {contract.address}\n"
        f"  code hash  {contract.code_hash}\n  log id     {contract.log_id}\n"
        f"  owner      {contract.owner}\n"
    )
