"""Restart of a whole node, dev chain included: what was proved stays proved."""

from typing import Any

import pytest

from bridge.core.proof.report import Verdict
from tests.scenarios.engine import letters, send_all
from tests.scenarios.node import Node, free_port, node_folder


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_receipts_of_before_verify_after(end: str) -> None:
    """A clean stop and a kill -9 of `up` alike: same folder, same ports, same log, same chain."""
    with node_folder() as folder:
        doors = f"--http 127.0.0.1:{free_port()} --mllp 127.0.0.1:{free_port()}"
        node = Node(folder / "node", {}, doors=doors)
        try:
            before = _run(node, "before", 6)
            proofs = {row["record"]: node.proof(row["record"]) for row in before}
            if end == "stopped":
                assert node.stop() == 0
            else:
                node.kill_up()
            after = _run(node, "after", 6)

            again = {row["record"]: node.proof(row["record"]) for row in before}
            assert len(after) == len(before) + 6
            for record, proof in proofs.items():
                for receipt, document in (proof, again[record]):
                    assert node.verify(receipt, document).verdict is Verdict.UNCHANGED
            assert "clean" in node.audit()
            assert "clean" in node.fsck()
        finally:
            node.close()


def _run(node: Node, sender: str, count: int) -> list[dict[str, Any]]:
    node.start()
    send_all(node.mllp, letters(sender, count))
    return node.wait_final()


def test_a_second_node_on_the_same_folder_is_refused(node: Node) -> None:
    """Two nodes on one folder would share keys and chain: the second says so and ends."""
    second = Node(node.folder, {})

    with pytest.raises(AssertionError, match="another node runs on this folder"):
        second.start()

    assert node.children("api"), "the first node lives on"
    assert node.records() == []
