"""`fhir-anchor token`: let a client in."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import Config, Data, settings_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import Role

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def token(
    name: Annotated[str, typer.Argument(help="Of the client, as the access log will say it.")],
    role: Annotated[list[Role], typer.Option(help="What it may do; may be given again.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a token for a client and print it, once; `api` knows it after a restart."""
    from bridge.keys.tokens import add_token

    file = settings_of(data, config).access.tokens_file
    if not file:
        raise BridgeError(
            "settings-value",
            Fault.OPERATOR,
            what="no tokens file is set",
            where="access.tokens_file",
            do="name one, which may be new, by --config FILE or FHIR_ANCHOR__ACCESS__TOKENS_FILE",
        )
    sys.stdout.write(f"{add_token(Path(file), name, role)}\n")
