"""`fhir-anchor contract`: deploy it, look at it, and what the log's owner may change there.

Every command looks first and sends only what is missing: one that was cut is run again.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import Config, Data, settings_of
from bridge.core.errors import BridgeError, Fault
from bridge.settings import Settings

if TYPE_CHECKING:
    from bridge.chain.account import AnchorAccount
    from bridge.chain.deploy import Deployment
    from bridge.chain.govern import Change, Governor
    from workers.wiring import Services

__all__ = ["commands"]

commands = typer.Typer(help="The contract that keeps this log's heads.", no_args_is_help=True)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing.")]
OwnerKey = Annotated[
    Path | None,
    typer.Option("--owner-key", metavar="FILE", help="The owner's key; default the anchoring key."),
]
OwnerPassword = Annotated[
    Path | None,
    typer.Option("--owner-password-file", metavar="FILE", help="Of the owner's keystore."),
]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="0x and 40 hexadecimal digits.")]


@commands.command()
def deploy(
    data: Data = None,
    config: Config = None,
    owner_key: OwnerKey = None,
    owner_password: OwnerPassword = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Deploy CheckpointAnchor, register this log, and check the code that stands there."""
    from bridge.cli.contract import say_contract
    from workers.anchoring import deployed_contract, planned_contract

    node = _services(settings_of(data, config))
    asked = (node.settings, node.signer, node.entropy, _owner(owner_key, owner_password))
    if dry_run:
        say_contract("planned, nothing was sent", planned_contract(*asked))
    else:
        say_contract("deployed and verified", deployed_contract(*asked))


@commands.command()
def show(data: Data = None, config: Config = None) -> None:
    """What this node anchors to, and what the contract says of its log now."""
    from bridge.cli.contract import say_contract, say_registration
    from workers.anchoring import governor_of, known_contract

    settings = settings_of(data, config)
    found = known_contract(settings)
    if found is None:
        sys.stdout.write("no contract yet - run `fhir-anchor contract deploy`\n")
        return
    say_contract("deployed" if found.complete else "on its way", found)
    if settings.chain.rpc:
        keys = _services(settings).signer.verifier_keys
        say_registration(governor_of(settings, found).registration(), keys)


@commands.command("change-key")
def change_key(
    data: Data = None,
    config: Config = None,
    owner_key: OwnerKey = None,
    owner_password: OwnerPassword = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Let the contract name the log's newest key, after `keys rotate`."""
    from workers.anchoring import identity_of

    node = _services(settings_of(data, config))
    key_hash = identity_of(node.settings, node.signer).key_hash
    governor = _governor(node.settings, owner_key, owner_password)
    _carry_out(governor.change_key(key_hash), dry_run=dry_run)


@commands.command("set-anchorer")
def set_anchorer(
    address: Address,
    data: Data = None,
    config: Config = None,
    owner_key: OwnerKey = None,
    owner_password: OwnerPassword = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Name the only account that may anchor, say after its key was stolen; zero stops anchoring."""
    account = _address(address)
    governor = _governor(settings_of(data, config), owner_key, owner_password)
    _carry_out(governor.set_anchorer(account), dry_run=dry_run)


@commands.command("propose-owner")
def propose_owner(
    address: Address,
    data: Data = None,
    config: Config = None,
    owner_key: OwnerKey = None,
    owner_password: OwnerPassword = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Offer the log to another owner, who must accept; zero withdraws the offer."""
    owner = _address(address)
    governor = _governor(settings_of(data, config), owner_key, owner_password)
    _carry_out(governor.propose_owner(owner), dry_run=dry_run)


@commands.command("accept-owner")
def accept_owner(
    data: Data = None,
    config: Config = None,
    owner_key: OwnerKey = None,
    owner_password: OwnerPassword = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Take the log that was offered to the account of --owner-key."""
    governor = _governor(settings_of(data, config), owner_key, owner_password)
    _carry_out(governor.accept_owner(), dry_run=dry_run)


@commands.command()
def succeed(
    data: Data = None,
    config: Config = None,
    owner_key: OwnerKey = None,
    owner_password: OwnerPassword = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Go on in a new contract: deploy and register there, close the log here. Restart after.

    Receipts that name the present contract stay good: its heads can be read for ever, and the
    trust file keeps it.
    """
    from bridge.chain.govern import take_over
    from bridge.cli.contract import say_contract
    from workers.anchoring import FOLLOWING_FILE, following_contract
    from workers.places import STATE_FILE

    node = _services(settings_of(data, config))
    owner = _owner(owner_key, owner_password)
    governor = _governor(node.settings, owner_key, owner_password)
    if dry_run:
        _carry_out(governor.retire("0x" + "11" * 20, bytes(32)), dry_run=True)
        return
    made = following_contract(node.settings, node.signer, node.entropy, owner)
    governor.retire(made.address, bytes.fromhex(made.log_id[2:])).make()
    _drain(node)
    folder = node.settings.data
    take_over(folder / STATE_FILE, folder / FOLLOWING_FILE, made)
    say_contract("closed the log in the former contract; restart the node, it goes on in", made)


def _drain(node: "Services") -> None:
    """Until nothing that was sent to the closed contract can change any more."""
    from bridge.flows.watch import watch
    from workers.anchoring import chain_of, known_contract

    contract = known_contract(node.settings)
    if contract is None:
        return
    chain = chain_of(node.settings, contract)
    try:
        while watch(anchors=node.anchors, chain=chain, clock=node.clock).waiting:
            sys.stderr.write("waiting until the last anchor there is final\n")
            time.sleep(max(1.0, node.settings.anchor.watch_s))
    finally:
        node.database.close()


def _services(settings: Settings) -> "Services":
    from workers.wiring import Services

    return Services(settings)


def _governor(settings: Settings, key: Path | None, password: Path | None) -> "Governor":
    from workers.anchoring import governor_of, known_contract

    contract: Deployment | None = known_contract(settings)
    if contract is None:
        raise BridgeError(
            "contract-missing",
            Fault.OPERATOR,
            what="this node has no contract yet",
            where=settings.chain.name,
            do="run `fhir-anchor contract deploy` once",
        )
    return governor_of(settings, contract, _owner(key, password))


def _owner(key: Path | None, password: Path | None) -> "AnchorAccount | None":
    from bridge.chain.account import KeyFileAccount

    return None if key is None else KeyFileAccount(key, password_file=password)


def _carry_out(change: "Change", *, dry_run: bool) -> None:
    if dry_run:
        gas = change.tried()
        sys.stdout.write(f"the contract would take it, for at most {gas} gas; nothing was sent\n")
        return
    change.make()
    sys.stdout.write("done and read back from the chain\n")


def _address(text: str) -> str:
    digits = text.lower().removeprefix("0x")
    if (
        not text.lower().startswith("0x")
        or len(digits) != 40
        or set(digits) - set("0123456789abcdef")
    ):
        raise typer.BadParameter(f"{text[:60]!r} is no address: 0x and 40 hexadecimal digits")
    return "0x" + digits
