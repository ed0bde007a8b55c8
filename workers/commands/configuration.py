"""`fhir-anchor config`: the settings of a node, as this command line sees them."""

import sys

import typer

from bridge.cli.options import Config, Data, settings_of

__all__ = ["commands"]

commands = typer.Typer(help="The settings of a node.", no_args_is_help=True)


@commands.command("show")
def config_show(data: Data = None, config: Config = None) -> None:
    """Every setting as this command line sees it, as environment variables."""
    for name, value in settings_of(data, config).as_environment().items():
        sys.stdout.write(f"{name}={value}\n")
