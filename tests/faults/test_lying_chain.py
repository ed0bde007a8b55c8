"""A chain endpoint that is down, or lies, when somebody verifies or audits."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.node import serve_node
from tests.scenarios.engine import letters, send_all
from tests.scenarios.node import Node, command, free_port

Lie = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """Files as a stranger has them."""

    node: Node
    receipt: Path
    document: Path

    def verify(self, rpc: str) -> tuple[int, dict[str, Any]]:
        """`fhir-anchor verify --json` against an endpoint: exit code and report."""
        trust = str(self.node.folder / "trust.toml")
        done = command(
            *("verify", str(self.receipt), str(self.document)),
            *("--trust", trust, "--rpc", rpc, "--json"),
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def proof(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Of one record that is final."""
    send_all(node.mllp, letters("CHAIN", 2))
    receipt, document = node.proof(node.wait_final()[0]["record"])
    folder = tmp_path_factory.mktemp("proof")
    (folder / "receipt.json").write_bytes(receipt)
    (folder / "document.json").write_bytes(document)
    return Proof(node, folder / "receipt.json", folder / "document.json")


@pytest.fixture
def liar(node: Node) -> Iterator[Callable[[Lie], str]]:
    """Starts an endpoint that asks the real one and changes what it says."""
    running = []

    def start(lie: Lie) -> str:
        def answer(method: str, params: list[Any]) -> Any:
            return lie(method, _ask(node.chain, method, params))

        running.append(serve_node(answer))
        return running[-1].__enter__()

    yield start
    for one in running:
        one.__exit__(None, None, None)


def _ask(url: str, method: str, params: list[Any]) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(url, json=request).json()["result"]


def _other_head(method: str, said: Any) -> Any:
    """The contract's head, which begins with the root, has another one."""
    return f"0x{'ab' * 32}{said[66:]}" if method == "eth_call" else said


def _older_head(method: str, said: Any) -> Any:
    """The contract's head is that of an empty log: its second word is the size."""
    return f"{said[:66]}{'00' * 32}{said[130:]}" if method == "eth_call" else said


def _other_block(method: str, said: Any) -> Any:
    """Another hash for every block."""
    if method.startswith("eth_getBlockBy") and said:
        return {**said, "hash": f"0x{'ab' * 32}"}
    return said


def _other_chain(method: str, said: Any) -> Any:
    return "0x1" if method == "eth_chainId" else said


def _no_contract(method: str, said: Any) -> Any:
    return "0x" if method == "eth_getCode" else said


def test_an_honest_endpoint_says_unchanged(proof: Proof) -> None:
    """The measure for the lies below."""
    code, report = proof.verify(proof.node.chain)

    assert (code, report["verdict"]) == (0, "unchanged")
    assert not [check for check in report["checks"] if check["ok"] is False]


@pytest.mark.parametrize("lie", [_older_head, _other_block, _other_chain, _no_contract])
def test_a_lie_is_named_and_never_believed(
    proof: Proof, liar: Callable[[Lie], str], lie: Lie
) -> None:
    """Check 8 says what does not fit; no document is called changed for an endpoint's word."""
    code, report = proof.verify(liar(lie))

    doubts = [check for check in report["checks"] if check["id"] == 8 and check["ok"] is not True]
    assert doubts, report
    assert report["verdict"] != "changed"
    assert code in {0, 3}


def test_an_endpoint_that_is_down_is_named(proof: Proof) -> None:
    """What the receipt proves by itself stays proved; the rest is not asked."""
    code, report = proof.verify(f"http://127.0.0.1:{free_port()}")

    doubts = [check for check in report["checks"] if check["id"] == 8 and check["ok"] is not True]
    assert doubts, report
    assert report["verdict"] != "changed"
    assert code in {0, 3}


def test_the_auditor_finds_that_the_chain_holds_another_head(
    proof: Proof, liar: Callable[[Lie], str]
) -> None:
    """Log and chain differ: that is a finding, whoever of them lies."""
    node = proof.node

    done = command(
        *("audit", "--url", node.http, "--rpc", liar(_other_head), "--data", str(node.folder))
    )

    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_an_audit_without_the_chain_says_so(node: Node) -> None:
    """One line, and no word about the log."""
    gone = f"http://127.0.0.1:{free_port()}"

    done = command("audit", "--url", node.http, "--rpc", gone, "--data", str(node.folder))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("fhir-anchor: ")
    assert done.stderr.count("\n") == 1
