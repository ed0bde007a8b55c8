"""`fhir-anchor keys`: the log's keys, shown, rotated and retired, each change stated on the log.

File and log cannot change in one step. Each command therefore states all that the file says, and
what stands on the log already is not stated again: after a crash, run it once more.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bridge.cli.options import Config, Data, settings_of
from bridge.core.errors import BridgeError
from bridge.core.ids import TreeSize
from bridge.core.record.events import KeyAction

if TYPE_CHECKING:
    from workers.wiring import Services

__all__ = ["commands"]

commands = typer.Typer(help="The log's signing keys.", no_args_is_help=True)


@commands.command()
def show(data: Data = None, config: Config = None) -> None:
    """Every verifier key of this log, the newest first; a trust file needs them all.

    Behind a retired one stands how many leaves the largest head has that it may have signed.
    """
    from workers.wiring import Services

    for one in Services(settings_of(data, config)).signer.log_keys:
        bound = "" if one.until is None else f" until {one.until}"
        sys.stdout.write(f"{one.key.encode()}{bound}\n")


@commands.command()
def rotate(data: Data = None, config: Config = None) -> None:
    """Make a new key; the former signs beside it until `keys retire`. Hand out the trust file."""
    from bridge.keys.file import rotate_key
    from workers.anchoring import renew_trust

    with _node(data, config) as node:
        _state(node, KeyAction.ADDED, node.signer.verifier_key)
        key = rotate_key(node.key_file, entropy=node.entropy)
        _state(node, KeyAction.ADDED, key)
        renew_trust(node.settings, node.signer)
        _tell_contract(node)
    sys.stdout.write(f"{key}\n")


@commands.command()
def retire(data: Data = None, config: Config = None) -> None:
    """Drop every key but the newest; what the others signed stays verifiable, and no more."""
    from bridge.keys.file import retire_keys
    from workers.anchoring import renew_trust

    with _node(data, config) as node:
        newest, *former = node.signer.verifier_keys
        head = node.book.newest()
        retire_keys(node.key_file, until=head.size if head else TreeSize(0))
        renew_trust(node.settings, node.signer)
        _state(node, KeyAction.ADDED, newest)
        for key in former:
            _state(node, KeyAction.RETIRED, key)
            sys.stdout.write(f"{key}\n")


def _tell_contract(node: "Services") -> None:
    """Let the contract name the new key now, if it can be reached and this node's account may.

    Nothing rests on it: a worker does it at its next start, or the owner by a command.
    """
    from workers.anchoring import follow_key, known_contract

    try:
        contract = known_contract(node.settings)
        if contract is None or not node.settings.chain.rpc:
            return
        if not follow_key(node.settings, node.signer, contract):
            sys.stderr.write(
                "the contract names the former key - its owner should run "
                "`fhir-anchor contract change-key --owner-key FILE`\n"
            )
    except BridgeError as error:
        sys.stderr.write(f"the contract was not told: {error}; a worker does it at its start\n")


@contextmanager
def _node(data: Path | None, config: Path | None) -> Iterator["Services"]:
    """The parts of the node, its tables and key made when they are missing."""
    from workers.wiring import Services

    node = Services(settings_of(data, config))
    try:
        node.prepare()
        yield node
    finally:
        node.database.close()


def _state(node: "Services", action: KeyAction, key: str) -> None:
    from bridge.flows.mark import note_key

    note_key(action, key, events=node.events, clock=node.clock, entropy=node.entropy)
