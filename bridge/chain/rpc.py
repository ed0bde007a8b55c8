"""JSON-RPC to several endpoints: a read counts when k of n say the same."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from bridge.chain.endpoint import PATIENCE_S, Endpoint, Silence
from bridge.core.errors import BridgeError, Fault

__all__ = ["Endpoints"]

T = TypeVar("T")

UNREADABLE: Final = (
    *(LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError),
)
"""What reading an answer raises when it has not the form that nodes give."""


class Endpoints:
    """All configured nodes of one chain, asked side by side until k agree.

    A node that hangs holds nobody up for longer than its time-out, and then not for a while.
    """

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
        self.agree = agree

    def ask(
        self,
        method: str,
        *params: Any,  # noqa: ANN401 - any JSON
        read: Callable[[Any], T],
    ) -> T:
        """What k endpoints give alike, after `read` kept the parts that matter.

        `read` gets the JSON result or an `RpcRefusal` and returns a comparable value; when it
        raises one of `UNREADABLE` the endpoint counts as silent.

        Raises:
            BridgeError: `chain-endpoints-disagree`, naming what each endpoint did.
        """
        round_ = _Round(self._nodes, method, params, read)
        votes: dict[str, int] = {}
        for answer in round_.answers():
            ballot = _ballot(answer)
            votes[ballot] = votes.get(ballot, 0) + 1
            if votes[ballot] >= self.agree:
                return answer
        raise self._divided(round_)

    def highest(self, method: str, *params: Any, read: Callable[[Any], int]) -> int:  # noqa: ANN401 - any JSON
        """The highest number that at least k endpoints have reached."""
        round_ = _Round(self._nodes, method, params, read)
        numbers = sorted(round_.answers(), reverse=True)
        if len(numbers) < self.agree:
            raise self._divided(round_)
        return numbers[self.agree - 1]

    def tell(self, method: str, *params: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any JSON
        """Every endpoint's answer to a broadcast, in their order; at least one must answer."""
        round_ = _Round(self._nodes, method, params, lambda value: value)
        if not list(round_.answers()):
            raise self._divided(round_)
        return tuple(round_.said[node] for node in self._nodes if node in round_.said)

    def close(self) -> None:
        """Close idle connections."""
        for node in self._nodes:
            node.close()

    def _divided(self, round_: "_Round[Any]") -> BridgeError:
        return BridgeError(
            "chain-endpoints-disagree",
            Fault.PEER,
            what=(
                f"{len(round_.said)} of {len(self._nodes)} endpoints gave a usable answer and no "
                f"{self.agree} of them the same: {round_.told()}"
            ),
            where=round_.method,
            do="see that the endpoints of chain.rpc run, are in step, and serve this chain",
        )


class _Round(Generic[T]):
    """One question to every node at once; what each said, and why each silent one was."""

    def __init__(
        self,
        nodes: Sequence[Endpoint],
        method: str,
        params: Sequence[Any],
        read: Callable[[Any], T],
    ) -> None:
        self.method = method
        self.said: dict[Endpoint, T] = {}
        self.silent: dict[Endpoint, str] = {}
        self._nodes, self._params, self._read = nodes, params, read
        self._box: queue.SimpleQueue[tuple[Endpoint, Any]] = queue.SimpleQueue()

    def answers(self) -> Iterator[T]:
        """As they come in; a node that is late is let alone from then on."""
        for node in self._nodes:
            threading.Thread(target=self._fetch, args=(node,), daemon=True).start()
        limit = time.monotonic() + PATIENCE_S
        for _ in self._nodes:
            try:
                node, answer = self._box.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty:
                break
            if self._kept(node, answer):
                yield self.said[node]
        for node in self._nodes:
            if node not in self.said and node not in self.silent:
                node.rest()
                self.silent[node] = f"gave no answer within {PATIENCE_S:.0f} s"

    def told(self) -> str:
        """Each node by name: which of the different answers it gave, or why none."""
        given = [_ballot(self.said[node]) for node in self._nodes if node in self.said]
        ballots = list(dict.fromkeys(given))
        return ", ".join(
            f"{node.name} {self.silent[node]}"
            if node in self.silent
            else f"{node.name} gave answer {ballots.index(_ballot(self.said[node])) + 1}"
            for node in self._nodes
        )

    def _fetch(self, node: Endpoint) -> None:
        try:
            answer = node.ask(self.method, self._params)
        except Silence as silence:
            answer = silence
        self._box.put((node, answer))

    def _kept(self, node: Endpoint, answer: Any) -> bool:  # noqa: ANN401 - any JSON
        if isinstance(answer, Silence):
            self.silent[node] = str(answer)
            return False
        try:
            self.said[node] = self._read(answer)
        except UNREADABLE:
            self.silent[node] = "gave an answer of another form"
            return False
        return True


def _ballot(answer: object) -> str:
    """A text that is equal for equal answers."""
    return json.dumps(answer, sort_keys=True, default=repr)
