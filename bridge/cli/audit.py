"""`audit` re-reads a whole log as any stranger can; `fsck` recomputes everything that is stored."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from bridge.cli.anchored_heads import anchored_heads
from bridge.core.errors import BridgeError, Fault
from bridge.core.log.note import VerifierKey
from bridge.core.log.tiles import MAX_ENTRY, WIDTH
from bridge.core.proof.trust import Contract, Trust
from bridge.core.proof.trust_file import parse_trust
from bridge.core.record.revision import RULES
from bridge.core.search.index import RULES as INDEX_RULES
from bridge.flows.check import Audit, check
from bridge.flows.fsck import Derive, fsck
from bridge.ports.anchors import Attempt
from bridge.ports.logbook import AnchoredHead, LogBook
from bridge.ports.stored import Stored

__all__ = ["audit", "fsck_stored", "pinned_contracts", "trust_of"]

FOUND = 1
TIMEOUT_S = 30.0
ALONE = " (name the chain with --rpc: a log that shows two histories agrees with itself)"
AT_ONCE = 8
"""Requests under way: a round trip then costs an eighth, and no server minds."""
MAX_PART = WIDTH * (2 + MAX_ENTRY)
"""Bytes of the largest entry bundle; tiles and checkpoints are smaller."""


def trust_of(file: Path | None, data: Path) -> Trust:
    """The trust file that was named, else that of the node's own folder.

    Raises:
        BridgeError: `trust-missing` when there is neither.
    """
    path = file or data / "trust.toml"
    try:
        return parse_trust(path.read_bytes())
    except OSError as error:
        raise BridgeError(
            "trust-missing",
            Fault.OPERATOR,
            what="no trust file can be read: whose log this is must come from you",
            where=str(path),
            do="give --trust FILE, or --data of the node",
        ) from error


def pinned_contracts(data: Path) -> tuple[Contract, ...]:
    """Those of the node's own trust file; none before its first anchor."""
    path = data / "trust.toml"
    return parse_trust(path.read_bytes()).contracts if path.exists() else ()


def audit(url: str, rpc: Sequence[str], trust: Trust) -> None:
    """Check the public log of a node against itself and against the chain.

    Says a line a finding and one at the end; exit 1 when anything was found.

    Raises:
        BridgeError: what cannot be reached; nothing is said of the log then.
    """
    clean = True
    for origin in dict.fromkeys(one.origin for one in trust.logs):
        anchored = anchored_heads(rpc, trust, origin)
        sys.stdout.writelines(f"note: {note}\n" for note in anchored.notes)
        result = _audited(url, anchored.heads, trust, origin)
        sys.stdout.writelines(
            f"{finding.code}: {finding.what} ({finding.where})\n" for finding in result.findings
        )
        sys.stdout.write(_summary(origin, result, asked=bool(rpc)))
        clean = clean and not result.findings
    if not clean:
        raise typer.Exit(FOUND)


def _audited(url: str, heads: Sequence[AnchoredHead], trust: Trust, origin: str) -> Audit:
    console = Console(file=sys.stderr)
    with (
        httpx.Client(base_url=f"{url.rstrip('/')}/log/", timeout=TIMEOUT_S) as client,
        ThreadPoolExecutor(max_workers=AT_ONCE) as pool,
        Progress(console=console, disable=not console.is_terminal, transient=True) as bar,
    ):
        row = bar.add_task("leaves")
        return check(
            fetch=lambda paths: tuple(pool.map(partial(_fetch, client), paths)),
            verifiers=partial(trust.keys_of, origin),
            origin=origin,
            anchored=lambda: heads,
            progress=lambda done, total: bar.update(row, completed=done, total=total),
        )


def _summary(origin: str, result: Audit, *, asked: bool) -> str:
    size = result.checkpoint.size if result.checkpoint else 0
    verdict = f"{len(result.findings)} findings" if result.findings else "clean"
    return (
        f"{origin}: {verdict}; {result.leaves} of {size} leaves, {result.tiles} tiles "
        f"re-hashed, {result.anchors} anchored heads compared{'' if asked else ALONE}\n"
    )


def _fetch(client: httpx.Client, path: str) -> bytes | None:
    try:
        with client.stream("GET", path) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            if not response.is_success:
                raise _unreachable(client, f"HTTP {response.status_code}")
            return _bounded(client, response)
    except httpx.HTTPError as error:
        raise _unreachable(client, str(error) or type(error).__name__) from error


def _bounded(client: httpx.Client, response: httpx.Response) -> bytes:
    """What a stranger's server sends, and no more than any part of a log can have."""
    data = bytearray()
    for part in response.iter_bytes():
        data += part
        if len(data) > MAX_PART:
            raise _unreachable(client, f"an answer exceeds {MAX_PART} bytes")
    return bytes(data)


def _unreachable(client: httpx.Client, why: str) -> BridgeError:
    return BridgeError(
        "log-unreachable",
        Fault.PEER,
        what=f"the log cannot be read: {why}",
        where=str(client.base_url),
        do="check --url, then try again",
    )


def fsck_stored(
    stored: Stored,
    book: LogBook,
    keys: Sequence[VerifierKey],
    transaction: Callable[[Attempt], str | None],
    derive: Derive | None = None,
) -> None:
    """Recompute everything; say the first difference and exit 1, or say that there is none."""
    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        stages = (
            *("records", "revisions", "accesses", "resources", "events", "leaves", "anchors"),
        )
        rows = {name: bar.add_task(name, total=None) for name in stages}
        done = fsck(
            stored=stored,
            book=book,
            verifiers=keys,
            transaction=transaction,
            progress=lambda name, count: bar.update(rows[name], completed=count),
            derive=derive,
        )
    for rules, count in sorted(done.other_rules.items()):
        sys.stdout.write(
            f"not derived again: {count} revisions made by the rules {rules}, where these rules "
            f"({RULES}) give other bytes - what is stored was checked against its seal; to derive "
            "it again too, run the version of fhir-anchor that has those rules\n"
        )
    for rules, count in sorted(done.other_index.items()):
        sys.stdout.write(
            f"not compared: the search rows of {count} resources, made by "
            f"{rules or 'rules without a name'} and not by {INDEX_RULES} - run `db reindex`, "
            "until then they are found as before\n"
        )
    for reason, count in sorted(done.underived.items()):
        sys.stdout.write(f"not converted again: {count} records - {reason}\n")
    if done.difference is not None:
        sys.stdout.write(f"{done.difference}\n")
        raise typer.Exit(FOUND)
    open_ends = done.other_rules or done.other_index or done.underived
    sys.stdout.write(
        f"clean{', but for what is said above' if open_ends else ''}: every record, "
        "revision, access, index row, event, leaf, tile, head, stamp and anchor is what it must "
        "be\n"
    )
