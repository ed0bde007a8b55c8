"""The artefact as the product reads it."""

import hashlib

import pytest

from bridge.chain.contracts.artefact import artefact
from bridge.chain.contracts.build import SOURCE
from bridge.core.errors import BridgeError
from bridge.core.proof.evm import ANCHORED
from bridge.core.proof.keccak import keccak256


def test_artefact_names_its_source_and_compiler() -> None:
    """Whoever doubts the code compiles that source with that compiler."""
    assert artefact().source_sha256 == hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    assert artefact().compiler.startswith("vyper 0.4.3+commit.")


def test_older_profile_has_no_push0() -> None:
    """The paris build runs where Shanghai never came, so its code is another one."""
    paris, cancun = artefact().profile("paris"), artefact().profile("cancun")

    assert paris.code_hash != cancun.code_hash


def test_event_is_the_one_that_verifiers_look_for() -> None:
    """Name and types of `Anchored` in the interface give the verifier's topic."""
    event = next(each for each in artefact().abi if each["name"] == "Anchored")
    types = ",".join(each["type"] for each in event["inputs"])

    assert keccak256(f"Anchored({types})".encode()) == ANCHORED
    assert [each["name"] for each in event["inputs"] if each["indexed"]] == ["logId", "sequence"]


def test_contract_takes_no_money_and_has_no_fallback() -> None:
    """Nothing is payable: no coin can be lost in it."""
    kinds = {each.get("stateMutability") for each in artefact().abi if each["type"] == "function"}

    assert kinds == {"nonpayable", "view"}
    assert {each["type"] for each in artefact().abi} == {"function", "event"}


def test_unknown_profile_is_refused_by_name() -> None:
    """The operator reads which ones there are."""
    with pytest.raises(BridgeError) as refused:
        artefact().profile("berlin")

    assert str(refused.value) == (
        "no contract was built for EVM version 'berlin' (chains.toml, evm_profile) - "
        "use one of cancun, paris"
    )
