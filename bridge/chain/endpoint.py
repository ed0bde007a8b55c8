"""One node of a chain over JSON-RPC. Not trusted: it may be down, stale, hang, or lie.

What comes back is a result, a refusal, or a `Silence` that says why the node does not count.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3

from bridge.chain.evm_libraries import HTTPProvider, RPCEndpoint
from bridge.chain.urls import public_name
from bridge.core.proof.members import MAX_DEPTH, nesting

__all__ = ["PATIENCE_S", "Endpoint", "RpcRefusal", "Silence"]

# The largest answer we ask for is the receipts of one full block: 60 M gas of logs stays below
# 16 MiB of JSON; twice that is refused.
_MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
_TIMEOUT_S: Final = 5.0
"""Without a byte. Nodes answer what we ask within a second."""
PATIENCE_S: Final = 20.0
"""For a whole answer: a node that drips bytes never trips the time-out above."""
_REST_S: Final = 30.0
"""A node that did not answer in time is not asked for this long: every call would wait again."""
_CHAIN_AGAIN_S: Final = 15.0
"""A load balancer may begin to send us to a node of another chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcRefusal:
    """A JSON-RPC error: an answer too, on which endpoints can agree."""

    code: int
    message: str


class Silence(Exception):  # noqa: N818 - no fault of anybody here: the node gave no usable answer
    """No connection, HTTP error such as 429, an answer that is no JSON-RPC, too long or too late.

    Its text says which, and quotes nothing of the answer.
    """


class Endpoint:
    """One node, asked one question at a time, from any thread."""

    def __init__(self, url: str, *, chain_id: int, timeout_s: float = _TIMEOUT_S) -> None:
        """Connects on first use."""
        self.name = public_name(url)
        self._session = _BoundedSession()
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": timeout_s},
            session=self._session,
            exception_retry_configuration=None,
        )
        self._chain_id = chain_id
        self._turn = threading.Lock()
        self._asked_since: float | None = None
        self._rests_until = self._checked_until = 0.0

    def ask(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        """The result, or an `RpcRefusal`.

        Raises:
            Silence: nothing usable came back, or it serves another chain.
        """
        self._be_awake()
        with self._turn:
            self._be_awake()
            self._asked_since = time.monotonic()
            try:
                self._check_chain()
                return self._request(method, params)
            finally:
                self._asked_since = None

    def rest(self) -> None:
        """Ask it nothing for a while: it is what the others would wait for."""
        self._rests_until = time.monotonic() + _REST_S

    def close(self) -> None:
        """Close idle connections; it can be asked again."""
        self._session.close()

    def _be_awake(self) -> None:
        now, since = time.monotonic(), self._asked_since
        if now < self._rests_until or (since is not None and now - since > PATIENCE_S):
            raise Silence("did not answer in time and is let alone for a while")

    def _check_chain(self) -> None:
        if time.monotonic() < self._checked_until:
            return
        found = self._request("eth_chainId", [])
        if found != hex(self._chain_id):
            shown = found if isinstance(found, str) and len(found) < 20 else "something else"
            raise Silence(f"serves another chain: {shown}, expected {hex(self._chain_id)}")
        self._checked_until = time.monotonic() + _CHAIN_AGAIN_S

    def _request(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        try:
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        except requests.Timeout as error:
            self.rest()
            raise Silence("did not answer in time") from error
        except requests.HTTPError as error:
            raise Silence(f"answered HTTP {_status(error)}") from error
        except requests.ConnectionError as error:
            raise Silence("cannot be reached") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Silence(f"broke off its answer ({type(error).__name__})") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise Silence("answered what is no JSON") from error
        return _result(answer)


def _result(answer: object) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(answer, dict):
        raise Silence("answered what is no JSON-RPC")
    refusal = answer.get("error")
    if refusal is None and "result" in answer:
        return answer["result"]
    if not isinstance(refusal, dict):
        raise Silence("answered what is no JSON-RPC")
    code = refusal.get("code")
    message = str(refusal.get("message", ""))[:500]
    return RpcRefusal(code=code if isinstance(code, int) else 0, message=message)


def _status(error: requests.HTTPError) -> str:
    return "error" if error.response is None else str(error.response.status_code)


class _BoundedSession(requests.Session):
    """Reads no more of an answer than a node can have reason to send, and goes nowhere else."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - the signature of requests
        kwargs["stream"] = True
        # A redirect leads to an address that the operator did not name: it is no answer.
        kwargs["allow_redirects"] = False
        response = super().request(*args, **kwargs)
        if response.is_redirect or response.is_permanent_redirect:
            response.close()
            raise requests.HTTPError(response=response)
        body = bytearray()
        for part in response.iter_content(65536):
            body += part
            if len(body) > _MAX_ANSWER_BYTES:
                response.close()
                raise requests.exceptions.ContentDecodingError("answer is too long")
        if nesting(bytes(body)) > MAX_DEPTH:
            raise requests.exceptions.ContentDecodingError("answer nests too deep")
        response._content = bytes(body)  # noqa: SLF001 - where requests keeps a read body
        return response
