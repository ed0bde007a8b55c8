"""`fhir-anchor map ...`: the commands that work on mapping rules, handed the dialects."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import mapping
from bridge.cli.options import Config, settings_of

__all__ = ["commands"]

commands = typer.Typer(help="Work on mapping rules: no database, no network.", no_args_is_help=True)
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
    paths: Annotated[list[Path], typer.Argument(help="Messages, batches or folders of them.")],
    sender: Sender = "",
    config: Config = None,
) -> None:
    """Populated fields that nothing reads, counted over many messages."""
    mapping.coverage(_mappings(config), paths, sender=sender)


@commands.command()
def diff(
    old: Annotated[str, typer.Argument(help="A sender, an overlay file, or base.")],
    new: Annotated[str, typer.Argument(help="A sender, an overlay file, or base.")],
    on: Annotated[Path, typer.Option("--on", metavar="FOLDER", help="Messages to compare on.")],
    config: Config = None,
) -> None:
    """Fact by fact, what two sets of rules make of the same messages."""
    mapping.diff(_mappings(config), old, new, folder=on)


@commands.command("test")
def run_tests(
    folder: Annotated[Path, typer.Argument(help="NAME.hl7 beside NAME.facts.")],
    sender: Sender = "",
    config: Config = None,
) -> None:
    """Messages against expected facts, FHIRPath lines in a file beside each."""
    mapping.test(_mappings(config), folder, sender=sender)


def _mappings(config: Path | None) -> mapping.Mappings:
    from workers.dialects import mappings  # noqa: PLC0415 - other commands start without dialects

    return mappings(settings_of(None, config))
