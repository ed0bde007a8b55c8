"""JSON-RPC to several endpoints: a read counts when k of n say the same."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from bridge.core.errors import BridgeError, Fault

__all__ = ["Endpoint", "Endpoints", "RpcRefusal"]

T = TypeVar("T")

# The largest answer we ask for is the receipts of one full block: 60 M gas of logs stays below
# 16 MiB of JSON; twice that is refused.
_MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcRefusal:
    """A JSON-RPC error: an answer too, on which endpoints can agree."""

    code: int
    message: str


class _Silence(Exception):  # noqa: N818 - inside this file only: the endpoint gave no usable answer
    """No connection, HTTP error such as 429, an answer that is no JSON-RPC, or too long."""


class Endpoint:
    """One node. Not trusted: it may be down, stale, or lie."""

    def __init__(self, url: str, *, chain_id: int, timeout_s: float = _TIMEOUT_S) -> None:
        """Connects on first use."""
        self._session = _BoundedSession()
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": timeout_s},
            session=self._session,
            exception_retry_configuration=None,
        )
        self._chain_id = chain_id
        self._checked = False

    def ask(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        """The result, or an `RpcRefusal`.

        Raises:
            _Silence: nothing usable came back, or it serves another chain.
        """
        if not self._checked:
            if self._request("eth_chainId", []) != hex(self._chain_id):
                raise _Silence("it serves another chain")
            self._checked = True
        return self._request(method, params)

    def close(self) -> None:
        """Close idle connections; it can be asked again."""
        self._session.close()

    def _request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        try:
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        except (requests.RequestException, ValueError, TypeError) as error:
            raise _Silence(type(error).__name__) from error
        if not isinstance(answer, dict):
            raise _Silence("no JSON-RPC answer")
        if "result" in answer:
            return answer["result"]
        refusal = answer.get("error")
        if not isinstance(refusal, dict):
            raise _Silence("no JSON-RPC answer")
        return RpcRefusal(
            code=int(refusal.get("code", 0)), message=str(refusal.get("message", ""))[:500]
        )


class Endpoints:
    """All configured nodes of one chain, asked in turn until k agree."""

    def __init__(self, nodes: Sequence[Endpoint], *, agree: int) -> None:
        """`agree` is the k of "k of n", 0 a majority; more than there are nodes is refused."""
        agree = agree or len(nodes) // 2 + 1
        if not 1 <= agree <= len(nodes):
            raise BridgeError(
                "chain-agreement",
                Fault.OPERATOR,
                what=f"{agree} endpoints must agree and {len(nodes)} are configured",
                where="chain.rpc",
                do="configure more endpoints or ask for less agreement",
            )
        self._nodes = tuple(nodes)
        self._agree = agree

    def ask(
        self,
        method: str,
        *params: Any,  # noqa: ANN401 - any JSON
        read: Callable[[Any], T],
    ) -> T:
        """What k endpoints give alike, after `read` kept the parts that matter.

        `read` gets the JSON result or an `RpcRefusal` and returns a comparable value; when it
        raises KeyError, TypeError or ValueError the endpoint counts as silent.
        """
        votes: list[str] = []
        for _, answer in self._answers(method, params, read):
            votes.append(_ballot(answer))
            if votes.count(votes[-1]) >= self._agree:
                return answer
        raise self._divided(method, len(votes))

    def highest(self, method: str, *params: Any, read: Callable[[Any], int]) -> int:  # noqa: ANN401 - any JSON
        """The highest number that at least k endpoints have reached."""
        numbers = sorted(
            (number for _, number in self._answers(method, params, read)), reverse=True
        )
        if len(numbers) < self._agree:
            raise self._divided(method, len(numbers))
        return numbers[self._agree - 1]

    def close(self) -> None:
        """Close idle connections."""
        for node in self._nodes:
            node.close()

    def tell(self, method: str, *params: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any JSON
        """Every endpoint's answer to a broadcast; at least one must answer."""
        answers = tuple(answer for _, answer in self._answers(method, params, lambda value: value))
        if not answers:
            raise self._divided(method, 0)
        return answers

    def _answers(
        self, method: str, params: Sequence[Any], read: Callable[[Any], T]
    ) -> Iterator[tuple[Endpoint, T]]:
        for node in self._nodes:
            try:
                yield node, read(node.ask(method, params))
            except (_Silence, KeyError, TypeError, ValueError):
                continue

    def _divided(self, method: str, answered: int) -> BridgeError:
        return BridgeError(
            "chain-endpoints-disagree",
            Fault.PEER,
            what=(
                f"{answered} of {len(self._nodes)} endpoints gave a usable answer and no "
                f"{self._agree} of them the same"
            ),
            where=method,
            do="see that the endpoints of chain.rpc run, are in step, and serve this chain",
        )


def _ballot(answer: object) -> str:
    """A text that is equal for equal answers."""
    return json.dumps(answer, sort_keys=True, default=repr)


class _BoundedSession(requests.Session):
    """Reads no more of an answer than a node can have reason to send."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - the signature of requests
        kwargs["stream"] = True
        response = super().request(*args, **kwargs)
        body = bytearray()
        for part in response.iter_content(65536):
            body += part
            if len(body) > _MAX_ANSWER_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError("answer is too long")
        response._content = bytes(body)  # noqa: SLF001 - where requests keeps a read body
        return response
