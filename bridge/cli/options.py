"""The options that every command of a node understands, and the settings they make."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bridge.settings import Settings, load

__all__ = [
    "Config",
    "Data",
    "HostPort",
    "TokenFile",
    "Url",
    "host_port",
    "http_url",
    "settings_of",
]

Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the node: keys, token, embedded parts."),
]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML over config/default.toml.")
]


def http_url(text: str) -> str:
    """The same text, once it is an http or https URL.

    Raises:
        typer.BadParameter: when it is not.
    """
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        fits = parts.scheme in {"http", "https"} and bool(host) and parts.port != 0
    except ValueError:  # a port that is no number, an open bracket, a name that no host can have
        fits = False
    if not fits:
        raise typer.BadParameter(f"{text!r} is no URL, such as http://127.0.0.1:8080")
    return text


Url = Annotated[
    str, typer.Option("--url", metavar="URL", callback=http_url, help="A running node.")
]
TokenFile = Annotated[Path | None, typer.Option("--token-file", metavar="FILE")]
HostPort = Annotated[str | None, typer.Option(metavar="HOST:PORT")]


def settings_of(
    data: Path | None, config: Path | None, overrides: Mapping[str, object] | None = None
) -> Settings:
    """Default, file, environment, command line, in this order.

    Raises:
        BridgeError: as `bridge.settings.load`.
    """
    given = {"data": data.absolute()} if data else {}
    file = config or _path(os.environ.get("FHIR_ANCHOR__CONFIG"))
    return load(file=file, environment=os.environ, overrides={**given, **(overrides or {})})


def host_port(section: str, text: str | None) -> dict[str, object]:
    """Overrides for `--http` and `--mllp`; an IPv6 host stands in brackets.

    Raises:
        typer.BadParameter: when the text is not HOST:PORT.
    """
    if text is None:
        return {}
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080")
    return {f"{section}.host": host.strip("[]"), f"{section}.port": int(port)}


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
