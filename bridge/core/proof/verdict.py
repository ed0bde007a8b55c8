"""Checks 11 and 12: since when it existed, what people are told, and on whose word that rests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from bridge.core.proof.report import AnchorOutcome, Check, Level, Report, Verdict, failed

__all__ = ["conclude"]

_CAVEAT: Final = (
    "A receipt can show that something existed and is intact, not that what it says is true."
)
_MEANS: Final[Mapping[str, str]] = {
    "document": "the document is larger than anything that was ever sealed",
    "claims": "the document is not the one that was sealed",
    "checkpoint": "the log's own signature does not hold",
    "inclusion": "the log does not hold this where the receipt says",
    "witnesses": "the signature of a witness is false",
    "rebase": "the log was rewritten, or the receipt was",
    "anchor": "the evidence from the chain was altered, or is of something else",
    "opentimestamps": "the Bitcoin time-stamp was altered, or is of something else",
    "rfc3161": "the authority's time-stamp was altered, or is of something else",
}
"""What a no of each check says, to a reader who knows neither logs nor chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    verdict: Verdict
    ok: bool | None
    words: str


def conclude(
    checks: Sequence[Check], outcomes: Sequence[AnchorOutcome], *, given: bool, foreign: bool
) -> Report:
    """11 the earliest anchor that counts; 12 the verdict and on whose word it rests."""
    passed = [outcome for outcome in outcomes if outcome.time is not None]
    # Whoever runs a chain sets its clock back: beside an independent system it dates nothing.
    dating = [outcome for outcome in passed if outcome.independent] or passed
    first = min(dating, key=lambda outcome: outcome.time or "", default=None)
    existed_by = first.time if first is not None and not failed(checks) else None
    eleventh = Check(
        id=11,
        name="existed-by",
        ok=True if existed_by else None,
        detail=f"it existed no later than {existed_by}, by the clock of {_clock(first)}"
        if first is not None and existed_by
        else "no anchor passed every check: the time is the log's own word",
    )
    level = _level(checks, outcomes)
    answer = _answer(checks, _word(level, passed), given=given, foreign=foreign)
    twelfth = Check(id=12, name="verdict", ok=answer.ok, detail=f"{answer.words} {_CAVEAT}")
    return Report(
        verdict=answer.verdict,
        level=level,
        existed_by=existed_by,
        checks=(*checks, eleventh, twelfth),
    )


def _clock(outcome: AnchorOutcome) -> str:
    if outcome.independent:
        return outcome.clock
    return f"{outcome.clock}, which the log's operator may run and set as he likes"


def _level(checks: Sequence[Check], outcomes: Sequence[AnchorOutcome]) -> Level:
    passed = {check.name for check in checks if check.ok}
    if failed(checks):
        return Level.FAILED
    if "checkpoint" not in passed:
        return Level.SELF_CONSISTENT
    if any(outcome.time is not None and outcome.independent for outcome in outcomes):
        return Level.ANCHORED
    return Level.WITNESSED if "witnesses" in passed else Level.SIGNED


def _word(level: Level, passed: Sequence[AnchorOutcome]) -> str:
    """On whose word the verdict rests; empty when it rests on nobody's."""
    systems = sorted({one.system for one in passed if one.independent or level < Level.SIGNED})
    match level:
        case Level.ANCHORED:
            return "on the word of " + " and ".join(f"an independent {one}" for one in systems)
        case Level.WITNESSED:
            return "on the word of independent witnesses"
        case Level.SIGNED:
            return "on the word of the log's operator"
        case Level.SELF_CONSISTENT | Level.FAILED:
            named = " and ".join(f"the {one} you named" for one in systems)
            return named and f"on the word of {named}; whose log it is was not checked"
        case _:
            assert_never(level)


def _answer(checks: Sequence[Check], word: str, *, given: bool, foreign: bool) -> _Answer:
    if no := failed(checks):
        return _denied(no)
    if foreign:
        return _cannot_say(": the receipt is of a log that your trust file does not name.")
    if not word:
        return _cannot_say(
            ": the receipt agrees with itself, but nobody you trust stands behind it."
        )
    if not given:
        return _cannot_say(f" of a document: none was given. The receipt itself holds, {word}.")
    if not any(check.ok for check in checks if check.name == "claims"):
        return _cannot_say(
            " of this document: the receipt hides all that it could be compared with. The receipt "
            f"itself holds, {word}."
        )
    words = f"Unchanged since it was sealed, {word}."
    return _Answer(verdict=Verdict.UNCHANGED, ok=True, words=words)


def _denied(no: Sequence[Check]) -> _Answer:
    """What a failed check means; the live halves say nothing of the document itself."""
    if all(check.name in {"chain", "bitcoin"} for check in no):
        numbers = ", ".join(dict.fromkeys(str(check.id) for check in no))
        return _cannot_say(
            ": who was asked does not confirm what the receipt says of the chain (check "
            f"{numbers}). It was undone there, or somebody lies. The document may be intact; do "
            "not rely on it before that is cleared up."
        )
    named = "; ".join(
        dict.fromkeys(f"{_MEANS[one.name]} (check {one.id})" for one in no if one.name in _MEANS)
    )
    return _Answer(verdict=Verdict.CHANGED, ok=False, words=f"Changed: {named}.")


def _cannot_say(why: str) -> _Answer:
    return _Answer(verdict=Verdict.CANNOT_SAY, ok=None, words=f"Cannot say{why}")
