"""What proves: receipts, their verification, and looking at a whole log or database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge.cli.node import DEFAULT_URL, Node
from bridge.cli.options import Config, Data, TokenFile, Url, settings_of
from bridge.cli.verify import verify
from bridge.core.errors import BridgeError
from bridge.core.proof.export import Export

__all__ = ["commands"]

commands = typer.Typer()
NOT_DONE, UNUSABLE = 1, 2

commands.command()(verify)


@commands.command()
def receipt(  # noqa: PLR0913, PLR0917 - one parameter an option
    records: Annotated[
        list[str] | None, typer.Argument(help="Record ids; or `export` and a receipt file.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="PATH", help="A file; a folder for several."),
    ] = None,
    wait: Annotated[
        Literal["sequenced", "anchored", "final"] | None,
        typer.Option(help="Until each record is that far."),
    ] = None,
    export_as: Annotated[
        Export | None, typer.Option("--as", help="With `export`: what to write.")
    ] = None,
    patient: Annotated[str, typer.Option(metavar="ID", help="All versions of a patient.")] = "",
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Records since.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Records until.")] = "",
    *,
    documents: Annotated[
        bool, typer.Option("--documents", help="Each record's bundle and message too.")
    ] = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Fetch receipts from a running node, or export a part of one for other tools."""
    named = records or []
    if named[:1] == ["export"]:
        if len(named) != 2 or export_as is None:
            raise typer.BadParameter("write `receipt export RECEIPT --as KIND [-o FILE]`")
        from bridge.cli.export import export

        export(Path(named[1]), export_as, output)
        return
    from bridge.cli.receipt import fetch_receipt
    from bridge.cli.receipts import Wanted, fetch_receipts

    wanted = Wanted(
        records=named, patient=patient, since=since, until=until, documents=documents, wait=wait
    )
    many = len(named) > 1 or documents or bool(patient or since or until)
    if not many and not named:
        raise typer.BadParameter("name records, --patient, or a period by --from and --to")
    if patient and wait:
        raise typer.BadParameter("--wait is for records; run --patient again, it goes on")
    with Node(url, token_file, settings_of(data, config).data) as node:
        if not many:
            fetch_receipt(node, named[0], output, wait)
        elif fetch_receipts(node, wanted, output or Path("receipts")):
            raise typer.Exit(NOT_DONE)


@commands.command()
def audit(
    url: Url = DEFAULT_URL,
    rpc: Annotated[list[str] | None, typer.Option("--rpc", metavar="URL")] = None,
    trust: Annotated[Path | None, typer.Option("--trust", metavar="FILE")] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Re-read a whole log through its public tiles; check it against itself and the chain."""
    from bridge.cli.audit import audit as run
    from bridge.cli.audit import trust_of

    with _one_means_found():
        run(url, rpc or (), trust_of(trust, settings_of(data, config).data))


@commands.command("fsck")
def fsck_node(
    data: Data = None,
    config: Config = None,
    *,
    rederive: Annotated[
        bool, typer.Option("--rederive", help="Also convert every record again.")
    ] = False,
) -> None:
    """Recompute everything that is stored and name the first difference."""
    from bridge.chain.recount import transaction_differs
    from bridge.cli.audit import fsck_stored, pinned_contracts
    from workers.history import deriving
    from workers.visited import visited

    with _one_means_found(), visited(settings_of(data, config)) as node:
        derive = deriving(node) if rederive else None
        pinned = pinned_contracts(node.settings.data)
        transaction = partial(transaction_differs, pinned=pinned)
        fsck_stored(node.stored, node.book, node.verifier_keys, transaction, derive)


@commands.command("rederive")
def rederive_record(
    record: Annotated[str, typer.Argument(help="Id of a record of this node.")],
    data: Data = None,
    config: Config = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Convert a record's source again with the mapping that it names; compare byte for byte.

    Exit 0 unchanged, 1 changed, 2 unusable input, 3 cannot say.
    """
    from bridge.cli.rederive import say_rederived
    from workers.history import rederived
    from workers.visited import visited

    with _one_means_found(), visited(settings_of(data, config)) as node:
        say_rederived(rederived(node, record), as_json=json)


@contextmanager
def _one_means_found() -> Iterator[None]:
    """Where exit 1 says that something was found, what could not be looked at exits 2."""
    try:
        yield
    except BridgeError as error:
        sys.stderr.write(f"fhir-anchor: {error}\n")
        raise typer.Exit(UNUSABLE) from error
