"""The mark beside the database: it only grows, and half of it is never seen."""

import json
from pathlib import Path

import msgspec
import pytest

from bridge.chain.deploy import Deployment, write_deployment
from bridge.chain.evm import EvmChain
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import TreeSize, sha256
from bridge.ports.chain import AnchoredHead as OnChain
from bridge.ports.chain import ChainView
from bridge.ports.logbook import AnchoredHead
from bridge.settings import Settings, load
from workers.highwater import MARK_FILE, ChainAndFile, keep_mark, read_mark
from workers.places import STATE_FILE


def _head(size: int) -> AnchoredHead:
    return AnchoredHead(size=TreeSize(size), root=sha256(size.to_bytes(8)))


def test_mark_only_grows(tmp_path: Path) -> None:
    """A worker that comes late takes nothing back, and the same size keeps its first root."""
    settings = _settings(tmp_path)
    assert read_mark(settings) is None

    for size in (3, 7, 5):
        keep_mark(settings, _head(size))
    keep_mark(settings, AnchoredHead(size=TreeSize(7), root=sha256(b"other")))

    assert read_mark(settings) == _head(7)


def test_mark_is_replaced_whole(tmp_path: Path) -> None:
    """No draft stays beside it."""
    keep_mark(_settings(tmp_path), _head(7))

    assert [file.name for file in tmp_path.iterdir()] == [MARK_FILE]


def test_mark_of_before_names_were_kept_was_published(tmp_path: Path) -> None:
    """A node that is upgraded stays behind the same mark."""
    (tmp_path / MARK_FILE).write_text(json.dumps({"size": 7, "root": _head(7).root.hex()}))
    settings = _settings(tmp_path)
    keep_mark(settings, _head(5))

    assert read_mark(settings) == _head(7)


class _Chain:
    """A contract that holds one head, or does not answer."""

    def __init__(self, head: AnchoredHead | None, of: Deployment) -> None:
        self.head, self.log_name = head, of.log_name

    def view(self) -> ChainView:
        """The head, else what a dead endpoint gives."""
        if self.head is None:
            raise BridgeError(
                "chain-silent", Fault.PEER, what="no answer", where="chain.rpc", do="wait"
            )
        head = OnChain(size=self.head.size, root=self.head.root, sequence=1)
        return ChainView(block_number=1, final_block=1, nonce=0, head=head)


def _asked(settings: Settings, head: AnchoredHead | None, of: Deployment) -> AnchoredHead | None:
    def chain() -> EvmChain:
        return _Chain(head, of)  # type: ignore[return-value]  # no more of it is asked

    return ChainAndFile(settings, chain).newest()


def _settings(folder: Path, contract: Deployment | None = None) -> Settings:
    """Of a node, which anchors to a contract."""
    if contract:
        write_deployment(folder / STATE_FILE, contract)
    return load(environment={}, overrides={"data": folder})


FIRST = Deployment(
    chain="eip155:13371",
    address="0x" + "Aa" * 20,
    code_hash="0x" + "22" * 32,
    log_id="0x" + "33" * 32,
    owner="0x" + "44" * 20,
    deploy_raw="0x",
    register_raw="0x",
    complete=True,
)
NEXT = msgspec.structs.replace(FIRST, address="0x" + "bb" * 20)


def test_the_high_water_mark_outlives_a_chain_that_is_down(tmp_path: Path) -> None:
    """A restored database is still caught while the endpoints do not answer."""
    settings = _settings(tmp_path, FIRST)

    seen = _asked(settings, _head(7), FIRST)
    later = _asked(settings, None, FIRST)

    assert seen == later == _head(7)


def test_a_chain_without_our_log_holds_no_mark(tmp_path: Path) -> None:
    """Before the first anchor there is nothing to fall behind."""
    settings = _settings(tmp_path, FIRST)

    assert _asked(settings, AnchoredHead(size=TreeSize(0), root=sha256(b"")), FIRST) is None
    assert _asked(settings, None, FIRST) is None


def test_junk_of_a_former_contract_stops_no_successor(tmp_path: Path) -> None:
    """What was published does, and what the present contract holds, whoever is late."""
    settings = _settings(tmp_path, FIRST)
    keep_mark(settings, _head(5))
    stopped = _asked(settings, _head(10**6), FIRST)

    write_deployment(tmp_path / STATE_FILE, NEXT)
    free = _asked(settings, None, NEXT)
    late = _asked(settings, _head(10**6), FIRST)
    on = _asked(settings, _head(9), NEXT)

    assert stopped == _head(10**6)
    assert (free, late, on) == (_head(5), _head(5), _head(9))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"published": 7}', '{"size": 7}', '{"size": 7, "root": "xy"}']
)
def test_mark_that_cannot_be_read_is_looked_at_by_a_person(tmp_path: Path, text: str) -> None:
    """It is the only witness beside the database: no guess takes its place."""
    (tmp_path / MARK_FILE).write_text(text)

    with pytest.raises(BridgeError, match="which head was newest"):
        read_mark(_settings(tmp_path))
