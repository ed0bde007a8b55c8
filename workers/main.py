"""`fhir-anchor`: the console entry. It gathers the commands, and says a refusal in one line."""

import os
import sys
from importlib import metadata
from typing import Annotated

import typer
from typer.exceptions import TyperException

from bridge.core.errors import BridgeError
from workers.commands import (
    access,
    configuration,
    contracts,
    database,
    evidence,
    feeding,
    keys,
    mapping,
    processes,
    quarantine,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="fhir-anchor",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (processes, feeding, evidence, access):
    app.add_typer(group.commands)
app.add_typer(quarantine.commands, name="quarantine")
app.add_typer(keys.commands, name="keys")
app.add_typer(contracts.commands, name="contract")
app.add_typer(mapping.commands, name="map")
app.add_typer(database.commands, name="db")
app.add_typer(configuration.commands, name="config")
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
    except ModuleNotFoundError as error:
        _say(
            f"the package {error.name} is not installed - install fhir-anchor[embedded], or name a"
            " database and a chain of your own by store.url and chain.rpc"
        )
        sys.exit(NOT_DONE)
    except OSError as error:
        place = error.filename or "a file or socket"
        _say(f"{error.strerror or error} ({place}) - check the path and its permissions")
        sys.exit(NOT_DONE)
    sys.exit(code if isinstance(code, int) else 0)


def _say(refusal: object) -> None:
    sys.stderr.write(f"fhir-anchor: {refusal}\n")


if __name__ == "__main__":
    main()
