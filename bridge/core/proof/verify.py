"""Verification as twelve numbered checks, the same numbers as in docs/spec/verify.md.

Pure: what it believes comes in as `Trust`, what a chain says comes in through `HeadReader`s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, sha256
from bridge.core.log.checkpoint import Checkpoint, parse_checkpoint
from bridge.core.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from bridge.core.log.note import open_note, parse_note
from bridge.core.proof.anchored import check_anchor
from bridge.core.proof.anchors import (
    CalldataAnchor,
    EvmAnchor,
    OtherAnchor,
    OtsAnchor,
    TokenAnchor,
)
from bridge.core.proof.calldata import check_calldata
from bridge.core.proof.endpoints import HeadReader, LiveHead
from bridge.core.proof.lookalike import lookalike
from bridge.core.proof.receipt import Rebase, Receipt, ResourcePart, parse_receipt
from bridge.core.proof.report import AnchorOutcome, Check, Level, Report, Verdict, failed
from bridge.core.proof.stamped import BitcoinReader, check_ots, check_token
from bridge.core.proof.trust import NO_TRUST, Trust
from bridge.core.record.canon import canonicalise
from bridge.core.record.claims import commitment, leaf

__all__ = ["MAX_DOCUMENT", "verify"]

MAX_DOCUMENT = 64 << 20
"""More than intake ever accepts; hashing it takes a tenth of a second."""


def verify(
    receipt: bytes,
    document: bytes | None,
    *,
    trust: Trust = NO_TRUST,
    chain: Sequence[HeadReader] = (),
    bitcoin: Sequence[BitcoinReader] = (),
) -> Report:
    """Check a receipt, and a document against it, believing nobody but `trust`.

    Args:
        receipt: the receipt's bytes.
        document: the bytes that are claimed to be what was sealed: the canonical bundle, the source
            as received, or a resource version as served; None checks the receipt alone.
        trust: keys, witnesses and contracts to believe.
        chain: endpoints of the chains, each asked once an anchor.
        bitcoin: sources of Bitcoin block headers that `trust` does not know.

    Returns:
        A report, whatever the input: an unreadable receipt is a failed check 1.
    """
    try:
        read = parse_receipt(receipt)
    except BridgeError as error:
        return _unreadable(error)
    first = Check(id=1, name="receipt", ok=True, detail=_read_detail(read))
    second, digest = _check_document(read, document)
    third = _check_claims(read, digest, given=document is not None)
    fourth, checkpoint = _check_checkpoint(read, trust)
    checks = [first, second, third, fourth]
    outcomes: tuple[AnchorOutcome, ...] = ()
    if checkpoint is not None:
        seventh, heads = _check_rebase(read, checkpoint, trust)
        checks += [_check_inclusion(read, checkpoint), _check_witnesses(read, trust), seventh]
        outcomes = tuple(
            check_anchor(anchor, origin=checkpoint.origin, heads=heads, trust=trust, readers=chain)
            for anchor in read.anchors
            if isinstance(anchor, EvmAnchor)
        )
        outcomes += tuple(
            check_calldata(
                anchor, origin=checkpoint.origin, heads=heads, trust=trust, readers=chain
            )
            for anchor in read.anchors
            if isinstance(anchor, CalldataAnchor)
        )
        outcomes += _check_stamps(read, trust, bitcoin, proved=bool(heads))
        checks += [check for outcome in outcomes for check in outcome.checks]
    checks += [
        Check(id=number, name=name, ok=None, detail=f"the receipt carries no {name} proof")
        for number, name in ((9, "opentimestamps"), (10, "rfc3161"))
        if name not in {check.name for check in checks}
    ]
    return _conclude(
        checks, outcomes, given=document is not None, foreign=_is_foreign(checkpoint, trust)
    )


def _check_document(receipt: Receipt, document: bytes | None) -> tuple[Check, Digest | None]:
    """2: the digest of the exact bytes; else of a canonical copy, and say so."""
    name = "document"
    if document is None:
        detail = "no document was given: the receipt alone is checked"
        return Check(id=2, name=name, ok=None, detail=detail), None
    if len(document) > MAX_DOCUMENT:
        detail = f"the document exceeds {MAX_DOCUMENT} bytes, more than was ever accepted"
        return Check(id=2, name=name, ok=False, detail=detail), None
    exact = sha256(document)
    copy = exact if exact in _sealed(receipt).values() else _canonical_digest(document)
    if copy != exact and copy in _sealed(receipt).values():
        detail = "the bytes differ, a canonical copy of them was taken: the file was re-serialised"
        return Check(id=2, name=name, ok=True, detail=f"{detail}; SHA-256 {copy.hex()}"), copy
    detail = f"SHA-256 of the exact bytes is {exact.hex()}"
    if copy not in _sealed(receipt).values() and (
        words := lookalike(document, _sealed(receipt).values())
    ):
        detail += f"; {words} it would be what was sealed: a program saved it otherwise, "
        detail += "ask for the file as it was exported"
    return Check(id=2, name=name, ok=True, detail=detail), exact


def _canonical_digest(document: bytes) -> Digest:
    """Of the canonical form; of the bytes themselves when they have none, such as HL7v2."""
    try:
        return sha256(canonicalise(document))
    except BridgeError:
        return sha256(document)


def _sealed(receipt: Receipt) -> dict[str, Digest]:
    """What a document can be, by name: the resource version, or any claim that is disclosed."""
    if receipt.resource is not None:
        return {receipt.resource.name: receipt.resource.value}
    return {claim.name: claim.value for claim in receipt.disclosed}


def _check_claims(receipt: Receipt, digest: Digest | None, *, given: bool) -> Check:
    """3: the document's digest is one that the leaf commits to."""
    if receipt.resource is not None:
        refusal = _refusal(lambda: _verify_resource(receipt, receipt.resource))
        if refusal is not None:
            return Check(id=3, name="claims", ok=False, detail=refusal)
    sealed = _sealed(receipt)
    if not given:
        detail = f"the leaf commits to {len(receipt.claims())} claims; shown: {', '.join(sealed)}"
        return Check(id=3, name="claims", ok=True, detail=detail)
    names = [name for name, value in sealed.items() if value == digest]
    if not names:
        wanted = ", ".join(f"{name} {value.hex()}" for name, value in sealed.items())
        detail = "the document is not what was sealed: it was changed, or belongs to another "
        return Check(id=3, name="claims", ok=False, detail=f"{detail}receipt; sealed: {wanted}")
    detail = f"the document is the sealed {names[0]}"
    return Check(id=3, name="claims", ok=True, detail=detail)


def _verify_resource(receipt: Receipt, part: ResourcePart | None) -> None:
    """The version's claim stands in the tree whose root is the value of the claim `resources`."""
    if part is None:
        return
    root = next(claim.value for claim in receipt.disclosed if claim.name == "resources")
    verify_inclusion(leaf_hash(part.claim().digest()), part.index, part.size, part.path, root)


def _check_checkpoint(receipt: Receipt, trust: Trust) -> tuple[Check, Checkpoint | None]:
    """4: the checkpoint is well formed and signed by a key that the trust file gives its origin."""
    name, note = "checkpoint", receipt.proof.checkpoint
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except BridgeError as error:
        return Check(id=4, name=name, ok=False, detail=str(error)), None
    said = f"log {_shown(checkpoint.origin)} with {checkpoint.size} leaves"
    keys = trust.keys_of(checkpoint.origin)
    if not keys:
        detail = f"{said}: no key of this log in your trust file, so anybody may have signed"
        return Check(id=4, name=name, ok=None, detail=detail), checkpoint
    refusal = _refusal(lambda: open_note(note, keys))
    if refusal is not None:
        return Check(id=4, name=name, ok=False, detail=f"{said}: {refusal}"), checkpoint
    detail = f"{said}, signed by a key of your trust file"
    return Check(id=4, name=name, ok=True, detail=detail), checkpoint


def _shown(origin: str) -> str:
    """Letters of other alphabets look like those of a name that one knows: they are spelt out."""
    return origin if origin.isascii() else f"{origin!a} (not all of its letters are ASCII)"


def _is_foreign(checkpoint: Checkpoint | None, trust: Trust) -> bool:
    """Whether the trust file names logs, and this is none of them."""
    return bool(trust.logs and checkpoint is not None and not trust.keys_of(checkpoint.origin))


def _check_inclusion(receipt: Receipt, checkpoint: Checkpoint) -> Check:
    """5: the recomputed leaf stands at the index, by a path of the exact length."""
    index = receipt.proof.index
    refusal = _refusal(
        lambda: verify_inclusion(
            leaf_hash(leaf(receipt.kind, commitment(receipt.claims()))),
            index,
            checkpoint.size,
            receipt.proof.path,
            checkpoint.root,
        )
    )
    detail = refusal or f"leaf {index} of {checkpoint.size} leads to the checkpoint's root"
    return Check(id=5, name="inclusion", ok=refusal is None, detail=detail)


def _check_witnesses(receipt: Receipt, trust: Trust) -> Check:
    """6: enough independent witnesses saw this checkpoint; too few lowers the level."""
    if not trust.witnesses:
        detail = "your trust file names no witnesses"
        return Check(id=6, name="witnesses", ok=None, detail=detail)
    needed, seen = max(1, trust.witnesses_needed), 0
    try:
        seen = len(open_note(receipt.proof.checkpoint, trust.witnesses).verified)
    except BridgeError as error:
        if error.code != "note-unsigned":
            return Check(id=6, name="witnesses", ok=False, detail=str(error))
    detail = f"{seen} of the {needed} needed witnesses signed the checkpoint"
    return Check(id=6, name="witnesses", ok=True if seen >= needed else None, detail=detail)


def _check_rebase(
    receipt: Receipt, checkpoint: Checkpoint, trust: Trust
) -> tuple[Check, tuple[LiveHead, ...]]:
    """7: each later checkpoint holds everything that the receipt's own one holds."""
    heads = [LiveHead(size=checkpoint.size, root=checkpoint.root)]
    try:
        heads += [_later_head(step, checkpoint, trust) for step in receipt.rebase]
    except BridgeError as error:
        return Check(id=7, name="rebase", ok=False, detail=str(error)), ()
    sizes = ", ".join(str(head.size) for head in heads[1:])
    if not sizes:
        detail = "the receipt carries no later checkpoint and needs none unless it is anchored"
        return Check(id=7, name="rebase", ok=None, detail=detail), tuple(heads)
    detail = f"the log only grew from {checkpoint.size} to {sizes} leaves"
    return Check(id=7, name="rebase", ok=True, detail=detail), tuple(heads)


def _later_head(step: Rebase, first: Checkpoint, trust: Trust) -> LiveHead:
    keys = trust.keys_of(first.origin)
    note = open_note(step.checkpoint, keys) if keys else parse_note(step.checkpoint)
    later = parse_checkpoint(note.text)
    if later.origin != first.origin:
        raise BridgeError(
            "rebase-origin",
            Fault.SENDER,
            what=f"a later checkpoint is of another log, {later.origin!r:.80}",
            where="receipt.rebase",
            do="fetch the receipt again from the node that issued it",
        )
    verify_consistency(first.size, later.size, first.root, later.root, step.path)
    return LiveHead(size=later.size, root=later.root)


def _check_stamps(
    receipt: Receipt, trust: Trust, bitcoin: Sequence[BitcoinReader], *, proved: bool
) -> tuple[AnchorOutcome, ...]:
    """9 and 10: what was stamped is a checkpoint that the receipt proves."""
    later = [step.checkpoint for step in receipt.rebase] if proved else []
    notes = (receipt.proof.checkpoint, *later)
    proofs = [anchor for anchor in receipt.anchors if isinstance(anchor, OtsAnchor)]
    tokens = [anchor for anchor in receipt.anchors if isinstance(anchor, TokenAnchor)]
    return (
        *(check_ots(one, notes=notes, trust=trust, readers=bitcoin) for one in proofs),
        *(check_token(one, notes=notes, trust=trust) for one in tokens),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    verdict: Verdict
    ok: bool | None
    words: str


_CAVEAT = "A proof shows that this existed and is intact, not that what it says is true."


def _conclude(
    checks: Sequence[Check], outcomes: Sequence[AnchorOutcome], *, given: bool, foreign: bool
) -> Report:
    """11 the earliest anchor that passed; 12 the verdict and on whose word it rests."""
    passed = [outcome for outcome in outcomes if outcome.time is not None]
    first = min(passed, key=lambda outcome: outcome.time or "", default=None)
    existed_by = first.time if first is not None and not failed(checks) else None
    eleventh = Check(
        id=11,
        name="existed-by",
        ok=True if existed_by else None,
        detail=f"it existed no later than {existed_by}, by the clock of {first.clock}"
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
    no = failed(checks)
    if no and all(check.name in {"chain", "bitcoin"} for check in no):
        numbers = ", ".join(dict.fromkeys(str(check.id) for check in no))
        words = f"Cannot say: the chain contradicts the anchor (check {numbers})."
        return _Answer(verdict=Verdict.CANNOT_SAY, ok=None, words=words)
    if no:
        named = ", ".join(f"{check.id} {check.name}" for check in no)
        words = f"Changed: failed at {named}."
        return _Answer(verdict=Verdict.CHANGED, ok=False, words=words)
    if foreign:
        words = "Cannot say: the receipt is of a log that your trust file does not name."
        return _Answer(verdict=Verdict.CANNOT_SAY, ok=None, words=words)
    if not word:
        words = "Cannot say: the receipt agrees with itself, but nobody you trust stands behind it."
        return _Answer(verdict=Verdict.CANNOT_SAY, ok=None, words=words)
    if not given:
        words = f"Cannot say of a document: none was given. The receipt itself holds, {word}."
        return _Answer(verdict=Verdict.CANNOT_SAY, ok=None, words=words)
    return _Answer(
        verdict=Verdict.UNCHANGED, ok=True, words=f"Unchanged since it was sealed, {word}."
    )


def _unreadable(error: BridgeError) -> Report:
    """A receipt that cannot be read says nothing about any document."""
    first = Check(id=1, name="receipt", ok=False, detail=str(error))
    words = "Cannot say: the receipt cannot be read."
    last = Check(id=12, name="verdict", ok=None, detail=words)
    return Report(
        verdict=Verdict.CANNOT_SAY, level=Level.FAILED, existed_by=None, checks=(first, last)
    )


def _read_detail(receipt: Receipt) -> str:
    said = ["well formed"]
    if receipt.unknown:
        said.append(f"{len(receipt.unknown)} members of a later version were not looked at")
    later = sum(isinstance(anchor, OtherAnchor) for anchor in receipt.anchors)
    if later:
        said.append(f"{later} anchors of a kind that this version does not know count for nothing")
    return "; ".join(said)


def _refusal(step: Callable[[], object]) -> str | None:
    """None when the step raises nothing, else its refusal in words."""
    try:
        step()
    except BridgeError as error:
        return str(error)
    return None
