"""Calendars and the time-stamp authority go away and come back; nothing else waits for them."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from structlog.testing import LogCapture

from tests.integration.chained import Log, Network, on_devchain
from tests.stamping import Calendar, Tsa, calendars, serving, tsa
from workers import tasks

__all__ = ["calendars", "on_devchain", "tsa"]


def test_anchors_go_on_while_every_stamping_system_is_away(
    on_devchain: Network,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calendars: tuple[Calendar, Calendar],
    tsa: Tsa,
) -> None:
    """What they miss is one time of several; when they are back they stamp the newest head."""
    log = Log(on_devchain, tmp_path, database_url, monkeypatch, form="calldata")
    authority = {"up": False}

    def answer(_method: str, _path: str, body: bytes) -> tuple[int, bytes]:
        return (200, tsa.answer(body)) if authority["up"] else (503, b"maintenance")

    with serving(answer) as url:
        urls = json.dumps([one.url for one in calendars])
        log.environment["FHIR_ANCHOR__OPENTIMESTAMPS__CALENDARS"] = urls
        log.environment["FHIR_ANCHOR__RFC3161__URL"] = url
        for calendar in calendars:
            calendar.failing = True
        log.sealed()
        said = _stamped(log)
        record, _ = log.sealed()

        assert {(one["kind"], one["code"]) for one in said} == {
            ("ots", "stamp-unavailable"),
            ("rfc3161", "stamp-unavailable"),
        }
        assert _stamps(log) == []
        assert _anchors(log.receipt(record)) == ["calldata"]

        authority["up"] = True
        calendars[0].failing = False
        assert [one["kind"] for one in _stamped(log)] == ["ots", "rfc3161"]
        calendars[0].mine()
        _stamped(log)

    assert _stamps(log) == [(2, "ots"), (2, "rfc3161")]
    assert sorted(_anchors(log.receipt(record))) == ["calldata", "ots", "rfc3161"]


def _stamped(log: Log) -> list[dict[str, Any]]:
    """The beat's turn by a fresh process; what it logs, by kind."""
    heard = LogCapture()
    node = log.services()
    try:
        tasks._stamp(node, structlog.wrap_logger(None, processors=[heard]))
    finally:
        node.database.close()
    return sorted((dict(one) for one in heard.entries), key=lambda entry: str(entry["kind"]))


def _stamps(log: Log) -> list[tuple[int, str]]:
    node = log.services()
    try:
        with node.database.unit():
            rows = node.database.connection.execute(text("SELECT size, kind FROM stamp")).all()
    finally:
        node.database.close()
    return sorted((row.size, row.kind) for row in rows)


def _anchors(receipt: bytes) -> list[str]:
    return [one["type"] for one in json.loads(receipt)["anchors"]]
