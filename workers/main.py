"""`fhir-anchor`: the console entry. It reads settings, hands ports to commands, and says refusals.

Imports stand inside the commands: `verify` must run where no server dependency is installed, and
every command should start quickly.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer.exceptions import TyperException

from bridge.cli.node import DEFAULT_URL, Node
from bridge.cli.options import Config, Data, HostPort, TokenFile, Url, host_port, settings_of
from bridge.cli.verify import verify
from bridge.core.errors import BridgeError
from bridge.core.proof.export import Export
from workers.contracts import commands as contract_commands
from workers.keys import commands as key_commands
from workers.mapping import commands as map_commands

__all__ = ["app", "main"]

app = typer.Typer(
    name="fhir-anchor",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(key_commands, name="keys")
app.add_typer(contract_commands, name="contract")
app.add_typer(map_commands, name="map")
NOT_DONE, USAGE = 1, 2
MISTYPED = frozenset(
    {
        "facts-missing",
        "folder-missing",
        "input-missing",
        "input-unreadable",
        "sender-unknown",
        "token-file",
        "upstream-address",
    }
)
"""Refusals of what stands on the command line, beside everything that is wrong in the settings."""


def _say_version(*, asked: bool) -> None:
    if asked:
        sys.stdout.write(f"fhir-anchor {metadata.version('fhir-anchor')}\n")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say it and exit."),
    ] = False,
) -> None:
    """A FHIR bridge whose every record can be proved to have existed unchanged."""
    del version


@app.command()
def up(
    data: Data = None,
    config: Config = None,
    http: HostPort = None,
    mllp: HostPort = None,
) -> None:
    """Everything in one go; database, broker and chain are embedded where no URL is set."""
    from workers.up import run

    run(settings_of(data, config, {**host_port("http", http), **host_port("mllp", mllp)}))


@app.command()
def demo(
    data: Data = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """The story: a feed arrives, is anchored, a record is proved, two lies are caught."""
    from workers.demo import run

    run(data, as_json=json)


@app.command()
def api(data: Data = None, config: Config = None) -> None:
    """The HTTP doors."""
    from workers.asgi import serve

    serve(settings_of(data, config))


@app.command("mllp")
def mllp_door(data: Data = None, config: Config = None) -> None:
    """The MLLP door."""
    from workers.mllp.process import serve

    serve(settings_of(data, config))


@app.command()
def worker(data: Data = None, config: Config = None) -> None:
    """A Celery worker: projects, sequences, anchors and watches."""
    from workers.tasks import run_worker

    run_worker(settings_of(data, config))


@app.command()
def beat(data: Data = None, config: Config = None) -> None:
    """Celery beat: wakes the workers by the clock."""
    from workers.celery_app import run_beat

    run_beat(settings_of(data, config))


@app.command()
def devchain(
    data: Data = None,
    config: Config = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8545,
) -> None:
    """A local EVM that keeps its blocks on disk; for trying things out, no evidence by itself."""
    from bridge.embedded.devchain import run
    from workers.places import DEVCHAIN_FOLDER
    from workers.sources import SystemClock, SystemEntropy

    folder = settings_of(data, config).data / DEVCHAIN_FOLDER
    run(folder, host, port, clock=SystemClock(), entropy=SystemEntropy())


app.command()(verify)


@app.command()
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
) -> None:
    """Files to canonical bundles, one a line; no database, no network."""
    from bridge.cli.convert import convert as run
    from workers.dialects import converters

    parts = converters(settings_of(None, config), sender)
    run(files, parts, sender=sender, residue=residue, pretty=pretty)


@app.command()
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


@app.command("watch-folder")
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


@app.command()
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


@app.command()
def receipt(  # noqa: PLR0913, PLR0917 - one parameter an option
    records: Annotated[
        list[str] | None, typer.Argument(help="Record ids; or `export` and a receipt file.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="PATH", help="A file; a folder for several."),
    ] = None,
    wait: Annotated[Literal["sequenced", "anchored", "final"] | None, typer.Option()] = None,
    export_as: Annotated[
        Export | None, typer.Option("--as", help="With `export`: what to write.")
    ] = None,
    patient: Annotated[str, typer.Option(metavar="ID", help="All versions of a patient.")] = "",
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Records since.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Records until.")] = "",
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

    wanted = Wanted(records=named, patient=patient, since=since, until=until)
    many = len(named) > 1 or bool(patient or since or until)
    if not many and not named:
        raise typer.BadParameter("name records, --patient, or a period by --from and --to")
    with Node(url, token_file, settings_of(data, config).data) as node:
        if not many:
            fetch_receipt(node, named[0], output, wait)
        elif fetch_receipts(node, wanted, output or Path("receipts")):
            raise typer.Exit(NOT_DONE)


@app.command()
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


@app.command("fsck")
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


@app.command("rederive")
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


@app.command()
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


db = typer.Typer(help="The database of a node.", no_args_is_help=True)
app.add_typer(db, name="db")


@db.command()
def upgrade(data: Data = None, config: Config = None) -> None:
    """Bring the tables to this version; harmless when they are."""
    from workers.wiring import Services

    Services(settings_of(data, config)).prepare()


@db.command("reindex")
def reindex_node(
    data: Data = None,
    config: Config = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Also what the rules of this version indexed.")
    ] = False,
) -> None:
    """Make search rows again that another version made; may be cut off, and run beside a node."""
    from bridge.cli.reindex import say_reindexed
    from workers.visited import visited

    with visited(settings_of(data, config)) as node:
        say_reindexed(node.versions, every=every)


config_commands = typer.Typer(help="The settings of a node.", no_args_is_help=True)
app.add_typer(config_commands, name="config")


@config_commands.command("show")
def config_show(data: Data = None, config: Config = None) -> None:
    """Every setting as this command line sees it, as environment variables."""
    for name, value in settings_of(data, config).as_environment().items():
        sys.stdout.write(f"{name}={value}\n")


def main() -> None:
    """Run a command; a refusal is one line on standard error, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except BridgeError as error:
        _say(error)
        usage = error.code.startswith("settings-") or error.code in MISTYPED
        sys.exit(USAGE if usage else NOT_DONE)
    except TyperException as error:
        if str(error):  # empty after a help text that was asked for by saying nothing
            _say(f"{error.format_message().rstrip('.')} - see `fhir-anchor --help`")
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, also not at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOT_DONE)
    except OSError as error:
        place = error.filename or "a file or socket"
        _say(f"{error.strerror or error} ({place}) - check the path and its permissions")
        sys.exit(NOT_DONE)
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _one_means_found() -> Iterator[None]:
    """Where exit 1 says that something was found, what could not be looked at exits 2."""
    try:
        yield
    except BridgeError as error:
        _say(error)
        raise typer.Exit(USAGE) from error


def _say(refusal: object) -> None:
    sys.stderr.write(f"fhir-anchor: {refusal}\n")


if __name__ == "__main__":
    main()
