"""What a verification found: named checks, a level, and one of three verdicts for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum

from bridge.core.proof.members import Value

__all__ = ["AnchorOutcome", "Check", "Level", "Report", "Verdict", "report_value"]


class Verdict(Enum):
    """The answer to the one question that people ask."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    CANNOT_SAY = "cannot-say"


class Level(IntEnum):
    """On whose word the verdict rests."""

    FAILED = 0
    SELF_CONSISTENT = 1
    SIGNED = 2
    WITNESSED = 3
    ANCHORED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The outcome of one numbered check of docs/spec/verify.md."""

    id: int
    name: str
    ok: bool | None
    """None: does not apply, or could not be checked; `detail` says which and why."""
    detail: str
    """Plain words without clinical content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a verification has to say."""

    verdict: Verdict
    level: Level
    existed_by: str | None
    """RFC 3339 in UTC: time of the earliest anchor that passed; None when none did."""
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that say no, in order."""
        return failed(self.checks)


def failed(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks that say no; 12 is their sum and not counted."""
    return tuple(check for check in checks if check.ok is False and check.id != 12)


def report_value(report: Report) -> Value:
    """The JSON value of `verify --json` and `POST /verify`."""
    return {
        "verdict": report.verdict.value,
        "level": int(report.level),
        "existed_by": report.existed_by,
        "checks": [
            {"id": check.id, "name": check.name, "ok": check.ok, "detail": check.detail}
            for check in report.checks
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorOutcome:
    """What one anchor is worth."""

    checks: tuple[Check, ...]
    time: str | None = None
    """Of the block or token, when everything about the anchor passed."""
    independent: bool = False
    """Whether that system is not run by the log's operator, by the verifier's own word."""
    clock: str = "the chain"
    """Whose time it is, for people."""
    system: str = "chain"
    """What kind of system speaks, for people."""
