"""The Celery tasks and the processes that run them: each a few lines around one flow.

A task takes no argument and may be lost, doubled or late. A database or chain that is down ends
the task with a line in the log; the next beat tries again.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from pathlib import Path

import structlog
from celery import Celery

from bridge.core.errors import BridgeError
from bridge.flows.anchor import Move, anchor
from bridge.flows.deliver import deliver
from bridge.flows.mark import mark
from bridge.flows.project import project
from bridge.flows.sequence import sequence
from bridge.flows.stamp import stamp
from bridge.flows.watch import watch
from bridge.ports.stamps import Stamper
from bridge.settings import Settings
from bridge.telemetry import configure_logs
from workers.answers import send_answer
from workers.celery_app import QUIET, configured
from workers.hearing import watch_hearing
from workers.highwater import ChainAndFile
from workers.slots import SLOT_OF, slot
from workers.wiring import Services

__all__ = ["TASKS", "register", "run_worker"]

LONGEST_S = 1.0
"""A task gives way after this long, so that a burst of records does not starve anchoring."""
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")
"""Workers need nothing of each other: PostgreSQL's locks are what they share."""

PROCESSES = 1 + len(set(SLOT_OF.values()))
"""Every system outside may hang at once, and one is left to project and to sequence."""

_ALERTS = frozenset({Move.AT_CAP, Move.OVER_BUDGET})
"""Anchoring waits for a person, or for prices to fall."""

Log = structlog.stdlib.BoundLogger


def _project(node: Services, log: Log) -> bool:
    done = project(versions=node.versions, clock=node.clock, entropy=node.entropy)
    if done.records or done.stalled:
        log.info("project", records=done.records, versions=done.versions, stalled=done.stalled)
    return done.records > 0


def _sequence(node: Services, log: Log) -> bool:
    made = sequence(
        book=node.book,
        signer=node.signer,
        clock=node.clock,
        origin=node.settings.log.origin,
        max_leaves=node.settings.log.max_leaves,
        high_water=ChainAndFile(node.settings, lambda: node.chain),
    )
    if made:
        log.info("sequence", size=made.size, leaves=made.leaves)
    return made is not None and made.leaves >= node.settings.log.max_leaves


def _anchor(node: Services, log: Log) -> bool:
    step = anchor(
        book=node.book,
        anchors=node.anchors,
        chain=node.chain,
        clock=node.clock,
        budget=node.budget,
    )
    if step.move in _ALERTS:
        log.warning("anchor", state=step.move.value, chain=node.chain.name)
    elif step.attempt and step.move is not Move.WAITING:
        log.info("anchor", state=step.move.value, size=step.attempt.payload.size)
    return False


def _watch(node: Services, log: Log) -> bool:
    seen = watch(anchors=node.anchors, chain=node.chain, clock=node.clock)
    for group in (seen.mined, seen.evidenced, seen.reorged, seen.failed, seen.replaced):
        for attempt in group:
            log.info("watch", state=attempt.state.value, size=attempt.payload.size)
    for problem in seen.problems:
        log.warning("watch", code=problem.code, where=problem.where)
    return False


def _stamp(node: Services, log: Log) -> bool:
    """Each system by a thread of its own: none waits for another that hangs."""
    with ThreadPoolExecutor(len(node.stampers) or 1) as pool:
        for done in [pool.submit(_stamp_by, node, log, *each) for each in node.stampers]:
            done.result()
    return False


def _stamp_by(node: Services, log: Log, stamper: Stamper, every: timedelta) -> None:
    try:
        done = stamp(
            book=node.book, stamps=node.stamps, stamper=stamper, clock=node.clock, every=every
        )
    except BridgeError as error:
        log.warning("stamp", kind=stamper.kind, code=error.code, where=error.where)
        return
    for one in (*([done.made] if done.made else ()), *done.completed):
        log.info("stamp", kind=one.kind, size=one.size)
    for problem in done.problems:
        log.warning("stamp", kind=stamper.kind, code=problem.code, where=problem.where)


def _mark(node: Services, log: Log) -> bool:
    every = timedelta(seconds=node.settings.log.mark_s)
    made = mark(events=node.events, clock=node.clock, entropy=node.entropy, every=every)
    for event in made:
        log.info("mark", count=event.end - event.begin, size=event.end)
    with node.work_items.unit():
        node.work_items.fold()
    return bool(made)


def _answer(node: Services, log: Log) -> bool:
    done = deliver(answers=node.answers, send=send_answer, clock=node.clock)
    if done.taken or done.postponed or done.abandoned:
        log.info("answer", count=done.taken, stalled=done.postponed)
    if done.abandoned:
        log.warning("answer-undelivered", count=done.abandoned)
    return done.taken > 0


TASKS: dict[str, Callable[[Services, Log], bool]] = {
    "project": _project,
    "sequence": _sequence,
    "anchor": _anchor,
    "watch": _watch,
    "mark": _mark,
    "stamp": _stamp,
    "answer": _answer,
}
"""Name to body; a body returns True when it should be called again at once."""


def register(celery: Celery, settings: Settings) -> None:
    """Bind the tasks of a node to its Celery app."""
    log = configure_logs("worker")

    @cache
    def services_of(_pid: int) -> Services:
        """One set a process: connections must not cross a fork."""
        return Services(settings)

    for name, body in TASKS.items():
        run = _guarded(name, body, lambda: services_of(os.getpid()), log)
        celery.task(name=name)(_in_its_slot(settings.data / "slots", name, run))


def _in_its_slot(folder: Path, name: str, run: Callable[[], None]) -> Callable[[], None]:
    def alone() -> None:
        with slot(folder, name) as free:
            if free:
                run()

    return alone


def _guarded(
    name: str,
    body: Callable[[Services, Log], bool],
    services: Callable[[], Services],
    log: Log,
) -> Callable[[], None]:
    def run() -> None:
        limit = time.monotonic() + LONGEST_S
        try:
            while body(services(), log) and time.monotonic() < limit:
                pass
        except BridgeError as error:
            log.warning(
                "postponed", task=name, code=error.code, where=error.where, fault=error.fault.value
            )

    return run


def run_worker(settings: Settings) -> None:
    """A Celery worker of this node, until SIGTERM; what runs is finished first."""
    celery = configured(settings)
    register(celery, settings)
    watch_hearing(configure_logs("worker"))
    celery.worker_main(["worker", "--pool=prefork", f"--concurrency={PROCESSES}", *QUIET, *ALONE])
