"""One chain endpoint for the offline verifier: six JSON-RPC reads over urllib, no web3.

Source: https://ethereum.org/en/developers/docs/apis/json-rpc/, https://ethereum.github.io/execution-apis/.
"""

import json
import re
from collections.abc import Iterable
from typing import NoReturn
from urllib.parse import urlsplit

from bridge.cli.exchange import UnansweredError, exchange
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.evm import ANCHORED
from bridge.core.proof.keccak import keccak256
from bridge.core.proof.members import load

__all__ = ["JsonRpcReader", "readers_of"]

MAX_ANSWER = 1 << 20
"""A block with 5,000 transaction hashes is 350 KB; contract code is at most 24 KB."""
TIMEOUT_S = 10
REFUSED = "rpc-refused"
"""Code of a refusal that a smaller question may not meet."""
MAX_LISTINGS = 64
"""Questions for past events: a node that takes a tenth of the chain at a time answers all."""
_QUANTITY = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]{0,15})", re.ASCII)
_DATA = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII | re.IGNORECASE)
_HEAD = keccak256(b"head(bytes32)")[:4]


class JsonRpcReader:
    """A `HeadReader` over HTTP. Trusts nothing of the answer but its form."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """Take the URL; nothing is asked yet."""
        self._url, self._timeout_s = url, timeout_s
        self.name = _public_name(url)

    def chain(self) -> str:
        """CAIP-2 id from eth_chainId."""
        return f"eip155:{self._quantity('eth_chainId')}"

    def block_hash(self, number: int) -> Digest | None:
        """Hash of the canonical block at a height."""
        block = self._call("eth_getBlockByNumber", hex(number), False)
        if block is None:
            return None
        return self._digest(self._member(block, "hash"))

    def height(self) -> int:
        """Number of the newest block."""
        return self._quantity("eth_blockNumber")

    def finalized(self) -> int:
        """Number of the block with the tag `finalized`."""
        block = self._call("eth_getBlockByNumber", "finalized", False)
        return self._number(self._member(block, "number"))

    def code_hash(self, address: bytes) -> Digest:
        """Keccak-256 of eth_getCode."""
        return keccak256(self._data(self._call("eth_getCode", "0x" + address.hex(), "latest")))

    def head(self, address: bytes, log_id: bytes) -> LiveHead:
        """CheckpointAnchor.head(logId): root, size, sequence, block, time, one word each."""
        call = {"to": "0x" + address.hex(), "data": "0x" + (_HEAD + log_id).hex()}
        words = self._data(self._call("eth_call", call, "latest"))
        if len(words) != 5 * 32:
            self._refuse("the contract's head is not five words")
        return LiveHead(size=int.from_bytes(words[32:64]), root=Digest(words[:32]))

    def past_heads(self, address: bytes, log_id: bytes) -> tuple[LiveHead, ...]:
        """Every head that the contract ever took for a log, oldest first, from its events.

        Endpoints bound how many blocks or events they look through: what one refuses is asked in
        halves, until it answers or `MAX_LISTINGS` questions were asked.
        """
        waiting, heads = [(0, self.height())], list[LiveHead]()
        for _ in range(MAX_LISTINGS):
            if not waiting:
                return tuple(heads)
            begin, end = waiting.pop()
            try:
                heads += self._listed(address, log_id, begin, end)
            except BridgeError as error:
                if error.code != REFUSED or begin == end:
                    raise
                middle = (begin + end) // 2
                waiting += [(middle + 1, end), (begin, middle)]
        return self._refuse("it lists events over few blocks at a time only")

    def _listed(self, address: bytes, log_id: bytes, begin: int, end: int) -> list[LiveHead]:
        found = self._call(
            "eth_getLogs",
            {
                "address": "0x" + address.hex(),
                "topics": ["0x" + ANCHORED.hex(), "0x" + log_id.hex()],
                "fromBlock": hex(begin),
                "toBlock": hex(end),
            },
        )
        if not isinstance(found, list):
            self._refuse("the events are not a list")
        return [self._anchored(one) for one in found]

    def _anchored(self, log: object) -> LiveHead:
        """Anchored(logId, sequence, size, root, prevRoot): the last three stand in the data."""
        words = self._data(self._member(log, "data"))
        if len(words) != 3 * 32:
            self._refuse("the data of an event is not three words")
        return LiveHead(size=int.from_bytes(words[:32]), root=Digest(words[32:64]))

    def _quantity(self, method: str) -> int:
        return self._number(self._call(method))

    def _call(self, method: str, *params: object) -> object:
        """The result of one call; None is an answer."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = self._answer(self._post(body.encode()))
        error = answer.get("error")
        if error is not None:
            code = error.get("code") if isinstance(error, dict) else None
            self._refuse(f"{method} was answered with error {code!s:.20}", code=REFUSED)
        if answer.get("id") != 1 or "result" not in answer:
            self._refuse(f"{method} was answered without a result")
        return answer["result"]

    def _post(self, body: bytes) -> bytes:
        try:
            return exchange(self._url, body, at_most=MAX_ANSWER, timeout_s=self._timeout_s)
        except UnansweredError as error:
            code = REFUSED if error.too_long else "rpc-unavailable"
            self._refuse(str(error), code=code, cause=error)

    def _answer(self, data: bytes) -> dict[str, object]:
        try:
            answer = load(data, max_size=MAX_ANSWER, where="answer")
        except BridgeError as error:
            self._refuse(f"the answer is not JSON: {error.what}", cause=error)
        if not isinstance(answer, dict):
            self._refuse("the answer is not an object")
        return dict(answer)

    def _member(self, block: object, name: str) -> object:
        if not isinstance(block, dict):
            self._refuse("the block is not an object")
        return block.get(name)

    def _number(self, value: object) -> int:
        if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
            self._refuse("a quantity is not 0x and hex digits")
        return int(value, 16)

    def _data(self, value: object) -> bytes:
        if not isinstance(value, str) or not _DATA.fullmatch(value):
            self._refuse("bytes are not 0x and pairs of hex digits")
        return bytes.fromhex(value[2:])

    def _digest(self, value: object) -> Digest:
        data = self._data(value)
        if len(data) != 32:
            self._refuse("a hash is not 32 bytes")
        return Digest(data)

    def _refuse(
        self, what: str, *, code: str = "rpc-unavailable", cause: Exception | None = None
    ) -> NoReturn:
        raise BridgeError(
            code,
            Fault.PEER,
            what=what,
            where=f"endpoint {self.name}",
            do="try again, or name another endpoint with --rpc",
        ) from cause


def readers_of(urls: Iterable[str], *, timeout_s: float = TIMEOUT_S) -> tuple[JsonRpcReader, ...]:
    """One an address, however it is spelt: the same one twice would count one voice as two."""
    voices: dict[object, str] = {}
    for url in urls:
        voices.setdefault(_address(url), url)
    return tuple(JsonRpcReader(url, timeout_s=timeout_s) for url in voices.values())


def _address(url: str) -> object:
    """What two spellings of one address have in common."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return url
    return parts.scheme, parts.username, parts.hostname, port, parts.path.rstrip("/"), parts.query


def _public_name(url: str) -> str:
    """Host and port alone: path and user of such a URL are API keys and stay out of reports."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not url.startswith(("http://", "https://")):
        raise BridgeError(
            "rpc-url",
            Fault.OPERATOR,
            what="an endpoint is not an http or https URL",
            where="--rpc",
            do="write it as http://host:port",
        )
    return host + (f":{port}" if port else "")
