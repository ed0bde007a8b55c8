"""`fhir-anchor quarantine`: what a running node refused, for whoever is on shift."""

import sys
from typing import Annotated

import typer

from bridge.cli.node import DEFAULT_URL, Node
from bridge.cli.options import Data, TokenFile, Url, settings_of

__all__ = ["commands"]

commands = typer.Typer(help="What a running node refused.", no_args_is_help=True)
Code = Annotated[str, typer.Option(help="Only refusals with this code.")]
Sender = Annotated[str, typer.Option(metavar="NAME", help="Only those of this sender.")]
Records = Annotated[list[str], typer.Argument(metavar="RECORD...", help="As the list names them.")]


@commands.command("list")
def list_refused(
    code: Code = "",
    sender: Sender = "",
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """A JSON line an open refusal with its reasons, oldest first; no content."""
    from bridge.cli.quarantine import Which, say_refused

    with Node(url, token_file, settings_of(data, None).data) as node:
        say_refused(node, Which(code=code, sender=sender))


@commands.command()
def source(
    record: Annotated[str, typer.Argument(help="As the list names it.")],
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """The bytes as they came, which may name a patient; the access log notes who read them."""
    with Node(url, token_file, settings_of(data, None).data) as node:
        sys.stdout.buffer.write(node.get(f"/records/{record}/source").content)


@commands.command()
def retry(
    records: Annotated[
        list[str] | None, typer.Argument(metavar="[RECORD...]", help="Default all that are open.")
    ] = None,
    code: Code = "",
    sender: Sender = "",
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """Receive refused inputs again, oldest first; exit 1 when any is still refused."""
    from bridge.cli.quarantine import Which, retry_refused

    with Node(url, token_file, settings_of(data, None).data) as node:
        retry_refused(node, Which(records=records or (), code=code, sender=sender))


@commands.command()
def dismiss(
    records: Records,
    reason: Annotated[str, typer.Option(help="Why none of it is needed; names no patient.")],
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """Put refused inputs away; their bytes stay."""
    from bridge.cli.quarantine import dismiss_refused

    with Node(url, token_file, settings_of(data, None).data) as node:
        dismiss_refused(node, records, reason)
