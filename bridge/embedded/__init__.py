"""What `up`, `demo` and the tests start for a person with nothing installed."""

from typing import Final

__all__ = ["KEY_FILE"]

KEY_FILE: Final = "devchain.key"
"""In the dev chain's folder: the funded account's private key, hexadecimal, mode 600. It stands
here because whoever sends to that chain needs the name and not the EVM."""
