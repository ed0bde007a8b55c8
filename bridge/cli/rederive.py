"""`fhir-anchor rederive RECORD`: the source bytes converted again, beside what was sealed."""

import json
import sys

import typer

from bridge.cli.verify import EXIT
from bridge.flows.rederive import Rederived

__all__ = ["say_rederived"]

_MARK = {True: "ok", False: "NO", None: "--"}


def say_rederived(found: Rederived, *, as_json: bool) -> None:
    """A line a check, then the verdict; exit 0 unchanged, 1 changed, 3 cannot say."""
    if as_json:
        checks = [
            {"id": check.id, "name": check.name, "ok": check.ok, "detail": check.detail}
            for check in found.checks
        ]
        said = {"verdict": found.verdict.value, "checks": checks}
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        for check in found.checks:
            sys.stdout.write(f"[{_MARK[check.ok]}] {check.id} {check.name}: {check.detail}\n")
        sys.stdout.write(f"{found.verdict.value}\n")
    raise typer.Exit(EXIT[found.verdict])
