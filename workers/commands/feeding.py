"""What comes in by hand: files, folders, another server; and what the feeds brought."""

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.node import DEFAULT_URL, Node
from bridge.cli.options import Config, Data, TokenFile, Url, settings_of

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def convert(
    files: Annotated[list[Path], typer.Argument(help="HL7v2 messages, batches, or FHIR JSON.")],
    sender: Annotated[
        str, typer.Option(metavar="NAME", help="Rules of this sender, whatever MSH says.")
    ] = "",
    config: Config = None,
    *,
    residue: Annotated[
        bool, typer.Option("--residue", help="Also say what nothing consumed, on standard error.")
    ] = False,
    pretty: Annotated[bool, typer.Option("--pretty", help="Indented, for a reader.")] = False,
    documents: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also put the documents of messages there, by hash."),
    ] = None,
) -> None:
    """Files to canonical bundles, one a line; no database, no network."""
    from bridge.cli.convert import convert as run
    from workers.dialects import converters

    parts = converters(settings_of(None, config), sender)
    run(files, parts, sender=sender, residue=residue, pretty=pretty, documents=documents)


@commands.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or batches.")],
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """Send files to a running node; a run that was cut off goes on where it stopped."""
    from adapters.hl7v2.batch import split
    from bridge.cli.ingest import ingest as send
    from bridge.cli.journal import Journal, journal_of

    folder = settings_of(data, None).data
    with Node(url, token_file, folder) as node, Journal(journal_of(folder, url, paths)) as journal:
        send(paths, node, split, journal)


@commands.command("watch-folder")
def watch_folder(
    folder: Annotated[Path, typer.Argument(help="Where files appear.")],
    every_s: Annotated[float, typer.Option("--every", min=0.05, metavar="SECONDS")] = 1.0,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """Send what is put into a folder, move it to done/ or refused/; until Ctrl-C or SIGTERM."""
    from adapters.hl7v2.batch import split
    from bridge.cli.watch_folder import watch_folder as run

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")

    with Node(url, token_file, settings_of(data, None).data) as node:
        run(folder, node, split, every_s=every_s, stop=stop, say=say)


@commands.command()
def pull(  # noqa: PLR0913, PLR0917 - one parameter an option
    upstream: Annotated[str, typer.Option("--from", metavar="URL", help="A FHIR R4 base.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Resource type; default all it serves.")
    ] = None,
    client_id: Annotated[str, typer.Option(help="SMART backend services client.")] = "",
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private JWK.")] = None,
    scope: Annotated[str, typer.Option()] = "system/*.rs",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Resources a page.")] = 100,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    data: Data = None,
) -> None:
    """What changed on another FHIR server since the last pull, to a running node."""
    from bridge.cli.pull import State, pull_into
    from workers.upstreams import upstream_of

    folder = settings_of(data, None).data
    with (
        upstream_of(upstream, client_id, key, scope) as server,
        Node(url, token_file, folder) as node,
    ):
        pull_into(node, server, types or (), State(folder, server.base), count=count)


@commands.command()
def feeds(
    hours: Annotated[float, typer.Option("--hours", min=0.01, help="How far back.")] = 24.0,
    data: Data = None,
    config: Config = None,
) -> None:
    """What each feed brought, and what a sender should be asked about; a JSON line each."""
    from bridge.cli.feeds import say_feeds
    from workers.visited import visited

    with visited(settings_of(data, config)) as node:
        say_feeds(node.feeds, node.clock, hours)
