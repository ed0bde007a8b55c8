"""Bitcoin block headers for the offline verifier, from any Esplora server, over urllib.

Source: https://github.com/Blockstream/esplora/blob/master/API.md. Not trusted: what it says is
compared with the proof, and several servers with one another.
"""

import re
from typing import NoReturn
from urllib.parse import urlsplit

from bridge.cli.exchange import UnansweredError, exchange
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.bitcoin import parse_bitcoin_header

__all__ = ["EsploraReader"]

MAX_ANSWER = 1024
"""A hash has 64 digits, a header 160."""
TIMEOUT_S = 10
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HEADER = re.compile(r"[0-9a-f]{160}", re.ASCII)


class EsploraReader:
    """A `BitcoinReader` over HTTP."""

    def __init__(self, url: str) -> None:
        """Take the URL, such as `https://blockstream.info/api`; nothing is asked yet."""
        self._url = url.rstrip("/")
        self.name = _host(url)
        if not self.name:
            raise BridgeError(
                "bitcoin-url",
                Fault.OPERATOR,
                what="a source of headers is not an http or https URL",
                where="--bitcoin",
                do="write it as https://host/api of an Esplora server",
            )

    def header(self, height: int) -> bytes | None:
        """The header of the block at a height of the chain that the server holds best."""
        found = self._get(f"/block-height/{height}", _HASH)
        if found is None:
            return None
        text = self._get(f"/block/{found}/header", _HEADER)
        if text is None:
            return None
        header = bytes.fromhex(text)
        if parse_bitcoin_header(header).hash.hex() != found:
            self._refuse("its header does not hash to the block that it named")
        return header

    def _get(self, path: str, form: re.Pattern[str]) -> str | None:
        try:
            data = exchange(self._url + path, at_most=MAX_ANSWER, timeout_s=TIMEOUT_S)
        except UnansweredError as error:
            if error.status == 404:
                return None
            self._refuse(str(error), cause=error)
        text = data.decode("ascii", "replace").strip()
        if not form.fullmatch(text):
            self._refuse("the answer is not hex of the right length")
        return text

    def _refuse(self, what: str, *, cause: Exception | None = None) -> NoReturn:
        raise BridgeError(
            "bitcoin-unavailable",
            Fault.PEER,
            what=what,
            where=f"source of headers {self.name}",
            do="try again, or name another source with --bitcoin",
        ) from cause


def _host(url: str) -> str:
    """Of an http or https URL; empty for anything else."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return ""
    return (parts.hostname or "") if fits else ""
