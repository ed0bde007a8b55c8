"""eth-account and web3, imported with Python's recursion limit left as it was.

py_ecc, which eth-account brings, raises the limit of the whole process to 100,000. A parser in C
then overflows the stack on deeply nested JSON instead of refusing it, and one request ends the
process. Nothing we call of these libraries recurses deep, so the limit is put back.
"""

import sys

_limit = sys.getrecursionlimit()
from eth_account import Account  # noqa: E402
from eth_account.signers.local import LocalAccount  # noqa: E402
from web3 import HTTPProvider  # noqa: E402
from web3.types import RPCEndpoint  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = ["Account", "HTTPProvider", "LocalAccount", "RPCEndpoint"]
