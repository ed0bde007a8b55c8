"""A deployment cut anywhere ends in one contract and one log, verified."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.chain.deploy import Deployment, LogIdentity, deploy, plan_deployment, read_deployment
from bridge.core.errors import BridgeError
from bridge.embedded.devchain import KEY_FILE
from tests.integration.chain.station import IDENTITY, Station, row_of


@pytest.fixture
def station(devchain_url: str, devchain_dir: Path, tmp_path: Path) -> Any:
    """Nothing deployed yet."""
    made = Station(devchain_url, row_of("embedded"), devchain_dir / KEY_FILE, tmp_path)
    yield made
    made.close()


def plan(station: Station) -> Deployment:
    """The dry run."""
    return plan_deployment(
        station.endpoints, station.row, station.account, IDENTITY, station.entropy
    )


def carry_out(
    station: Station, state: Path, planned: Deployment, identity: LogIdentity = IDENTITY
) -> Deployment:
    """For real."""
    return deploy(station.endpoints, state, planned, identity, wait=lambda: None)


def test_dry_run_sends_nothing(station: Station) -> None:
    """Planning twice gives the same address and leaves the nonce."""
    assert plan(station).address == plan(station).address


@pytest.mark.parametrize("sent", [(), ("deploy_raw",), ("deploy_raw", "register_raw")])
def test_run_that_was_cut_is_finished_by_the_next(
    station: Station, tmp_path: Path, sent: tuple[str, ...]
) -> None:
    """After the state was written, whatever had been sent, and whatever is planned now."""
    state = tmp_path / "contract.json"
    planned = plan(station)
    state.write_bytes(msgspec.json.encode(planned))
    for name in sent:
        station.endpoints.tell("eth_sendRawTransaction", getattr(planned, name))

    done = carry_out(station, state, plan(station))

    assert (done.address, done.log_id, done.complete) == (planned.address, planned.log_id, True)
    assert read_deployment(state) == done


def test_other_code_at_the_address_is_refused(station: Station, tmp_path: Path) -> None:
    """The code hash decides, not the address."""
    state = tmp_path / "contract.json"
    done = carry_out(station, state, plan(station))
    state.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(done, code_hash="0x" + "00" * 32))
    )

    with pytest.raises(BridgeError, match=r"is not the committed contract \(eip155:13371\)"):
        carry_out(station, state, plan(station))


def test_registration_with_another_key_is_refused(station: Station, tmp_path: Path) -> None:
    """A node whose log key is not the registered one would anchor what nobody can check."""
    state = tmp_path / "contract.json"
    carry_out(station, state, plan(station))
    other = LogIdentity(origin_hash=IDENTITY.origin_hash, key_hash=bytes(32))

    with pytest.raises(BridgeError, match="is registered with another key than this node has"):
        carry_out(station, state, plan(station), other)


def test_state_of_another_chain_is_refused(station: Station, tmp_path: Path) -> None:
    """A node that was moved to another network deploys nothing by accident."""
    state = tmp_path / "contract.json"
    planned = plan(station)
    state.write_bytes(msgspec.json.encode(msgspec.structs.replace(planned, chain="eip155:1")))

    with pytest.raises(BridgeError) as refused:
        carry_out(station, state, planned)

    assert str(refused.value) == (
        "the contract was deployed on eip155:1, the node is set to eip155:13371 (contract.json) - "
        "set chain.name back, or move this state file away to deploy anew"
    )


def test_broken_state_file_is_not_overwritten(tmp_path: Path) -> None:
    """Without it the log's id is unknown: an operator must look."""
    state = tmp_path / "contract.json"
    state.write_text("{")

    with pytest.raises(BridgeError, match="the deployment's state file cannot be read"):
        read_deployment(state)
