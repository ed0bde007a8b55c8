"""`fhir-anchor db`: the tables of a node, and what is made from its records."""

from typing import Annotated

import typer

from bridge.cli.options import Config, Data, settings_of

__all__ = ["commands"]

commands = typer.Typer(help="The database of a node.", no_args_is_help=True)


@commands.command()
def upgrade(data: Data = None, config: Config = None) -> None:
    """Bring the tables to this version; harmless when they are."""
    from workers.wiring import Services

    Services(settings_of(data, config)).prepare()


@commands.command("reindex")
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
