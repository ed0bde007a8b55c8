"""`fhir-anchor map ...`: the commands that work on mapping rules, handed the dialects."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bridge.cli import mapping
from bridge.cli.code_tables import export_table, import_table
from bridge.cli.options import Config, Data, settings_of
from bridge.cli.stored_mapping import coverage_stored, preview
from bridge.cli.work_items import say_closed, say_items

if TYPE_CHECKING:
    from workers.wiring import Services

__all__ = ["commands"]

commands = typer.Typer(help="Work on mapping rules.", no_args_is_help=True)
Last = Annotated[
    int, typer.Option("--last", min=1, max=1_000_000, help="Stored messages, the newest.")
]
Sender = Annotated[
    str, typer.Option("--sender", metavar="NAME", help="Rules of this sender, whatever MSH says.")
]


@commands.command()
def check(
    overlays: Annotated[
        list[Path] | None, typer.Argument(help="Overlay files; without, all of this node's.")
    ] = None,
    config: Config = None,
) -> None:
    """Compile and type-check the shipped rules and the overlays."""
    mapping.check(_mappings(config), overlays or ())


@commands.command()
def explain(
    message: Annotated[Path, typer.Argument(help="An HL7v2 message.")],
    question: Annotated[str, typer.Argument(help="Observation.status, or OBX-11, or OBX[2]-5.")],
    sender: Sender = "",
    config: Config = None,
) -> None:
    """Which rows made an element, or what became of a field."""
    mapping.explain(_mappings(config), message, question, sender=sender)


@commands.command()
def coverage(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Messages, batches or folders; without, what the node stored."),
    ] = None,
    sender: Sender = "",
    last: Last = 1000,
    data: Data = None,
    config: Config = None,
) -> None:
    """Populated fields that nothing reads, counted over files, or over the last stored messages."""
    if paths:
        mapping.coverage(_mappings(config), paths, sender=sender)
        return
    with _visited(data, config) as node:
        coverage_stored(_mappings(config, data), node.stored, sender=sender, last=last)


@commands.command()
def diff(
    old: Annotated[str, typer.Argument(help="A sender, an overlay file, or base.")],
    new: Annotated[str, typer.Argument(help="A sender, an overlay file, or base.")],
    on: Annotated[
        Path | None,
        typer.Option("--on", metavar="FOLDER", help="Messages; without, what the node stored."),
    ] = None,
    last: Last = 1000,
    data: Data = None,
    config: Config = None,
) -> None:
    """What two sets of rules make of the same messages: fact by fact, or a preview on a node."""
    if on is not None:
        mapping.diff(_mappings(config), old, new, folder=on)
        return
    with _visited(data, config) as node:
        preview(_mappings(config, data), node.stored, old, new, last=last)


@commands.command("export-table")
def export_code_table(
    sender: Annotated[str, typer.Argument(help="A sender, or an overlay file.")],
    table: Annotated[str, typer.Argument(help="NAME of its [tables.NAME].")],
    config: Config = None,
) -> None:
    """A sender's code table as a FHIR R4 ConceptMap."""
    from workers.dialects import code_tables

    export_table(code_tables(settings_of(None, config)), sender, table)


@commands.command("import-table")
def import_code_table(
    file: Annotated[Path, typer.Argument(help="A ConceptMap, FHIR R4 JSON.")],
    name: Annotated[str, typer.Option("--name", help="Of the table; default the file's.")] = "",
    config: Config = None,
) -> None:
    """A ConceptMap as `[tables.NAME]`, to be put into an overlay."""
    from workers.dialects import code_tables

    import_table(code_tables(settings_of(None, config)), file, name)


@commands.command()
def tasks(
    sender: Annotated[str, typer.Option("--sender", metavar="NAME")] = "",
    state: Annotated[
        Literal["open", "mapped", "dismissed", "any"], typer.Option("--state")
    ] = "open",
    data: Data = None,
    config: Config = None,
) -> None:
    """Codes that nobody mapped, where the sender's profile says `unmapped_code = "task"`."""
    with _visited(data, config) as node:
        say_items(node.work_items, sender=sender, state="" if state == "any" else state)


@commands.command()
def close(
    item: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="Id of the work item.")],
    state: Annotated[Literal["mapped", "dismissed", "open"], typer.Option("--as")],
    because: Annotated[str, typer.Option("--because", help="What was done; no patient's name.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Close a work item, or open it again; a mapped one opens by itself when its code returns."""
    with _visited(data, config) as node:
        say_closed(node.work_items, item, state, because)


@commands.command("test")
def run_tests(
    folder: Annotated[Path, typer.Argument(help="NAME.hl7 beside NAME.facts.")],
    sender: Sender = "",
    config: Config = None,
) -> None:
    """Messages against expected facts, FHIRPath lines in a file beside each."""
    mapping.test(_mappings(config), folder, sender=sender)


def _mappings(config: Path | None, data: Path | None = None) -> mapping.Mappings:
    from workers.dialects import mappings

    return mappings(settings_of(data, config))


@contextmanager
def _visited(data: Path | None, config: Path | None) -> "Iterator[Services]":
    from workers.visited import visited

    with visited(settings_of(data, config)) as node:
        yield node
