"""What stands where in the data folder of a node; names alone."""

from typing import Final

__all__ = ["ADMIN_TOKEN", "DEVCHAIN_FOLDER", "STATE_FILE", "TRUST_FILE"]

ADMIN_TOKEN: Final = "admin.token"  # noqa: S105 - the name of its file
DEVCHAIN_FOLDER: Final = "devchain"
STATE_FILE: Final = "contract.json"
"""Which contract this node anchors to, and those before it."""
TRUST_FILE: Final = "trust.toml"
"""What a verifier of this node's receipts has to believe: log key, contract, finality."""
