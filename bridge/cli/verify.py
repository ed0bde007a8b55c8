"""`fhir-anchor verify`: checks a receipt and a document, trusting no server. Imports core alone."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from bridge.cli.bitcoin import EsploraReader
from bridge.cli.rpc import JsonRpcReader, readers_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.receipt import MAX_SIZE
from bridge.core.proof.report import Level, Report, Verdict, report_value
from bridge.core.proof.trust import NO_TRUST, Trust
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import MAX_DOCUMENT
from bridge.core.proof.verify import verify as check

__all__ = ["EXIT", "exit_code", "main", "verify"]

EXIT = {Verdict.UNCHANGED: 0, Verdict.CHANGED: 1, Verdict.CANNOT_SAY: 3}
UNUSABLE = 2
MAX_ENDPOINTS = 16
"""Each may take ten seconds to fail."""
_LEVEL = {
    Level.FAILED: "a check said no",
    Level.SELF_CONSISTENT: "the receipt agrees with itself, nobody known signed it",
    Level.SIGNED: "signed by the log, on its operator's word",
    Level.WITNESSED: "signed by the log and seen by witnesses",
    Level.ANCHORED: "final on a system that others than the log's operator run",
}
_MARK = {True: "ok", False: "NO", None: "--"}


def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt, a JSON file.")],
    document: Annotated[
        Path | None,
        typer.Argument(help="What was sealed: bundle, message as received, or resource version."),
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option("--rpc", help="Endpoint of the anchor's chain; repeat it to ask several."),
    ] = None,
    bitcoin: Annotated[
        list[str] | None,
        typer.Option("--bitcoin", help="Esplora server for Bitcoin headers; repeat it."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", help="Logs, witnesses and contracts that you believe."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check that a document is what was sealed.

    Exit 0 unchanged, 1 changed, 2 unusable input, 3 cannot say.
    """
    try:
        report = check(
            _read(receipt, MAX_SIZE, "RECEIPT"),
            None if document is None else _read(document, MAX_DOCUMENT, "DOCUMENT"),
            trust=_trust(trust),
            chain=_readers(rpc or ()),
            bitcoin=tuple(EsploraReader(url) for url in dict.fromkeys(bitcoin or ())),
        )
    except BridgeError as error:
        typer.echo(_printable(str(error)), err=True)
        raise typer.Exit(UNUSABLE) from None
    typer.echo(json.dumps(report_value(report)) if as_json else _lines(report, trust))
    raise typer.Exit(exit_code(report))


def main() -> None:
    """The command `fhir-anchor-verify`, which has no server beside it."""
    app = typer.Typer(add_completion=False)
    app.command()(verify)
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        sys.stderr.write(f"fhir-anchor-verify: {error} - see --help\n")
        sys.exit(UNUSABLE)
    sys.exit(code if isinstance(code, int) else 0)


def exit_code(report: Report) -> int:
    """0 unchanged, 1 changed, 2 the receipt cannot be read, 3 cannot say."""
    if any(check.id == 1 for check in report.failed):
        return UNUSABLE
    return EXIT[report.verdict]


def _lines(report: Report, trust: Path | None) -> str:
    lines = [
        f"[{_MARK[check.ok]}] {check.id:>2} {check.name}: {check.detail}" for check in report.checks
    ]
    when = f", existed no later than {report.existed_by}" if report.existed_by else ""
    lines.append(
        f"{report.verdict.value}, level {int(report.level)} of 4{when} - {_LEVEL[report.level]}"
    )
    if trust is None:
        lines.append("No trust file was given (--trust FILE): nobody's signature is believed.")
    return "\n".join(_printable(line) for line in lines)


def _trust(path: Path | None) -> Trust:
    return NO_TRUST if path is None else parse_trust(_read(path, MAX_SIZE, "--trust"))


def _readers(urls: Sequence[str]) -> tuple[JsonRpcReader, ...]:
    """Bounded in number; the same address twice is one."""
    if len(urls) > MAX_ENDPOINTS:
        raise BridgeError(
            "rpc-count",
            Fault.OPERATOR,
            what=f"{len(urls)} endpoints were named, at most {MAX_ENDPOINTS} are asked",
            where="--rpc",
            do="name fewer",
        )
    return readers_of(urls)


def _read(path: Path, limit: int, where: str) -> bytes:
    """The file's bytes, at most one over the limit: enough to see that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise BridgeError(
            "input-unreadable",
            Fault.OPERATOR,
            what=f"the file cannot be read: {error.strerror}",
            where=f"{where} {path}",
            do="check the path and its permissions",
        ) from error


def _printable(line: str) -> str:
    """A receipt is a stranger's text: nothing in it may steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in line)
