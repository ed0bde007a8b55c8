"""HL7 v2 as a clinical dialect: bytes of one message to one canonical bundle, and to its answer.

Bundle: type message, MessageHeader first, resources in the order of the message, Provenance, and
last, where the sender deleted something, a Parameters of FHIRPath Patch operations.
https://hl7.org/fhir/R4/messaging.html, https://hl7.org/fhir/R4/fhirpatch.html.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from adapters.hl7v2 import ack, syntax
from adapters.hl7v2.assembly import assemble
from adapters.hl7v2.build import Build
from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.zones import offset_of
from adapters.hl7v2.engine import Engine, compiled, fields_of, restored
from adapters.hl7v2.nulls import unpad
from adapters.hl7v2.profiles import ANYONE, SenderProfile, check_distinct, choose
from adapters.hl7v2.settle import settle
from adapters.hl7v2.unmapped import TRIGGER, unmapped_codes
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant, sha256
from bridge.core.record.bundle import Apply, CanonicalBundle, Finding, JsonObject, Severity
from bridge.core.record.canon import canonical
from bridge.core.record.identity import lane
from bridge.ports.dialect import Envelope, Verdict

__all__ = ["Checked", "Converted", "Historic", "Hl7v2", "Options"]

_MSH_READ: Final = (1, 2, 9, 10, 12, 13, 14, 15, 16, 18, 21)
"""Fields of MSH that the dialect itself reads: for residue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A bundle still as values, with the build that made it: what explain looks into."""

    bundle: JsonObject
    build: Build
    engine: Engine
    message: syntax.Message
    lines: list[list[str]]
    source: Digest


class Checked(Protocol):
    """Which mappings passed the type check before, by digest. Trusted to save time, no more.

    Whoever can write to it can let a wrong row through, which `validate_bundles` then finds; it
    holds nothing that runs.
    """

    def passed(self, mapping: Digest) -> bool:
        """Whether this mapping passed."""

    def note(self, mapping: Digest) -> None:
        """It passed just now; losing the note costs half a second."""


class _Never:
    """Remembers nothing."""

    def passed(self, mapping: Digest) -> bool:
        """No."""
        del mapping
        return False

    def note(self, mapping: Digest) -> None:
        """In vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a node lets the dialect do beside converting."""

    checked: Checked = field(default_factory=_Never)
    judge: Callable[[bytes], Sequence[Finding]] | None = None
    """What is wrong with a bundle as R4; None where no bundle is to be judged."""
    validate_bundles: bool = False
    """Whether bundles are judged of senders whose profile does not say."""
    max_bundle_bytes: int = 0
    """Canonical bytes of one bundle; 0 is no bound, for what was accepted before."""
    anyone: SenderProfile = ANYONE
    """What holds for a sender that no profile matches."""


class Hl7v2:
    """The dialect for a set of senders. Safe to share between threads: it only compiles lazily."""

    name = "hl7v2"

    def __init__(
        self, profiles: tuple[SenderProfile, ...] = (), options: Options | None = None
    ) -> None:
        """Compile every sender's rules at once, so that a bad overlay refuses to start.

        Raises:
            BridgeError: of a profile's rows, or `profile-ambiguous`.
        """
        self._profiles, self._options = profiles, options or Options()
        check_distinct(profiles)
        everyone = (self._options.anyone, *profiles)
        self._engines = {profile.name: compiled(profile) for profile in everyone}
        for engine in self._engines.values():
            if engine.maps != self._engines[""].maps:
                _check(engine, self._options.checked)

    @property
    def mappings(self) -> Mapping[Digest, bytes]:
        """The document of each mapping that this dialect converts with, by its digest."""
        return {engine.digest: engine.document for engine in self._engines.values()}

    def engine(self, sender: str = "") -> Engine:
        """The compiled rules of a sender, of anyone where there is no such profile."""
        return self._engines.get(sender) or self._engines[""]

    def envelope(self, raw: bytes, *, sender: str) -> Envelope:
        """Best effort, for quarantine and duplicates; never raises."""
        head = syntax.header(raw)
        if len(head) < 3:
            return Envelope(sender=sender, message_type="", control_id="")
        head += [""] * (14 - len(head))
        profile = choose(self._profiles, head, sender)
        named = profile.name or (f"{head[3]}/{head[4]}" if head[3] or head[4] else sender)
        return Envelope(
            sender=named,
            message_type=head[9],
            control_id=head[10],
            sequence=_sequence(head[13]),
            refuses_reuse=profile.reused_control_id == "reject",
        )

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """The canonical bundle of one message; see `bridge.ports.dialect.Dialect`."""
        made = self.converted(raw, sender=sender, charset=charset, tracing=False)
        build = made.build
        data = canonical(made.bundle)
        self._bound(data)
        self._judge(data, made.engine.profile)
        return CanonicalBundle(
            canonical=data,
            source=made.source,
            mapping=made.engine.digest,
            apply=Apply.MERGE,
            message_type=build.ctx.text(build.header[9]),
            control_id=build.control,
            lanes=_lanes(build),
            findings=_findings(build.ctx),
            unmapped=unmapped_codes(build, made.lines, made.engine),
        )

    def converted(self, raw: bytes, *, sender: str, charset: str = "", tracing: bool) -> Converted:
        """The bundle as values. Raises BridgeError with fault SENDER."""
        early: list[Finding] = []

        def note(code: str, text: str) -> None:
            early.append(Finding(code=code, severity=Severity.WARNING, where="MSH", text=text))

        source = sha256(raw)
        head = syntax.header(raw)
        engine = self._chosen(head, sender)
        profile = engine.profile
        message = syntax.read(raw, head=head, charset=charset, senders=profile.charsets, note=note)
        lines = fields_of(message.lines, message.delimiters.field, engine.width)
        ctx = _context(message, lines[0], profile)
        ctx.findings += early
        _check_header(lines[0], message)
        _infer(lines, message.delimiters)
        whole = "\r".join(message.lines)
        if '""' in whole:
            unpad(lines, message.delimiters)
        build = Build(
            ctx,
            header=lines[0],
            content=sha256(whole[len(message.lines[0]) :].encode()).hex(),
            memory=engine.memory,
            nulls='""' in whole,
            tracing=tracing,
        )
        name, mapped = engine.grammar.structure_of(build.code, build.trigger)
        if profile.validate == "strict":
            _check_strictly(lines, message, build, name)
        if not mapped:
            _unmapped(build, profile)
        root = engine.run(build, lines, engine.grammar.structure(name))
        build.keep_assigners()
        settle(build, engine.periods)
        _apply_policy(build, profile)
        if profile.validate == "strict":
            _check_order(build)
        bundle = assemble(build, root, source=source, mapping=engine.digest)
        for number in _MSH_READ if tracing else ():
            build.touch("MSH", 1, "MSH", number, (), "")
        return Converted(
            bundle=bundle, build=build, engine=engine, message=message, lines=lines, source=source
        )

    def _chosen(self, head: list[str], sender: str) -> Engine:
        """The rules for a message with this MSH, or of the sender that the door pins."""
        return self._engines[choose(self._profiles, head, sender).name]

    def _bound(self, data: bytes) -> None:
        """Refuse a bundle that would hold a lane, and the memory of who reads it, for a minute."""
        at_most = self._options.max_bundle_bytes
        if at_most and len(data) > at_most:
            raise BridgeError(
                "bundle-size",
                Fault.SENDER,
                what=f"the message gave a bundle of {len(data):,} bytes, over {at_most:,}",
                where="message",
                do="send fewer results in one message, or raise senders.max_bundle_bytes",
            )

    def _judge(self, data: bytes, profile: SenderProfile) -> None:
        """Refuse our own bundle where the node judges them and it is no valid R4."""
        said = profile.validate_bundles
        judge = self._options.judge
        if judge is None or not (self._options.validate_bundles if said is None else said):
            return
        wrong = [one for one in judge(data) if one.severity is Severity.ERROR]
        if wrong:
            raise BridgeError(
                "bundle-invalid",
                Fault.SENDER,
                what=f"the message gave a bundle that is no valid R4: {wrong[0].code}, "
                f"{len(wrong)} in all",
                where=wrong[0].where,
                do="mend the sender's rows, or ask for a rule, then retry it from quarantine",
            )

    def answer(self, raw: bytes, verdict: Verdict, *, at: Instant) -> bytes:
        """The acknowledgement in HL7 v2's own form."""
        return ack.acknowledge(raw, verdict, at=at)


class Historic(Hl7v2):
    """The dialect as one kept mapping had it, whoever a message is from."""

    def __init__(self, document: bytes) -> None:
        """Compile the document again.

        Raises:
            BridgeError: `mapping-...`, `row-...`: this version cannot follow it.
        """
        super().__init__()
        self._only = restored(document)

    def _chosen(self, head: list[str], sender: str) -> Engine:
        """The only rules."""
        del head, sender
        return self._only


def _sequence(text: str) -> int | None:
    """MSH-13, NM: a whole number of at most 15 digits (ch. 2.10.1), else nothing."""
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        return None
    return int(text)


def _check(engine: Engine, checked: Checked) -> None:
    """The type check of an overlay; imported here, because the models take half a second."""
    if checked.passed(engine.digest):
        return
    from adapters.hl7v2.compiler.check import check  # noqa: PLC0415 - see above

    check(engine.maps)
    checked.note(engine.digest)


def _check_strictly(
    lines: list[list[str]], message: syntax.Message, build: Build, inferred: str
) -> None:
    """By the structure that MSH-9.3 names, else by that of type and trigger."""
    from adapters.hl7v2.strict import check_strictly  # noqa: PLC0415 - hl7apy, for those who ask

    check_strictly(lines, message.delimiters, build.comp(lines[0][9], 3) or inferred)


def _check_order(build: Build) -> None:
    """Segments that were read although they stand out of place, which hl7apy does not see."""
    for note in build.ctx.findings:
        if note.code in {"segment-order", "segment-stray"}:
            raise BridgeError(
                "strict-segment",
                Fault.SENDER,
                what="a segment stands where its structure has no place for it",
                where=note.where,
                do="send the segments in the order of the structure",
            )


def _context(message: syntax.Message, header: list[str], profile: SenderProfile) -> Context:
    """Delimiters and defaults; MSH is padded so that every field can be asked for."""
    header.extend([""] * (26 - len(header)))
    signs = message.delimiters
    return Context(
        field=signs.field,
        component=signs.component,
        subcomponent=signs.subcomponent,
        repetition=signs.repetition,
        escape=signs.escape,
        truncation=signs.truncation,
        codec=message.codec,
        namespace=profile.namespace,
        facility=header[4],
        offset=_offset(header[7].split(signs.component, 1)[0].strip()),
        zone=profile.zone,
        systems=profile.systems,
    )


def _offset(stamp: str) -> str:
    """`+01:00` of `20240102080000+0100`; empty where MSH-7 has none."""
    at = max(stamp.rfind("+"), stamp.rfind("-"))
    if at < len("YYYYMMDDHH"):  # the hyphens of an ISO date are no sign
        return ""
    return offset_of(stamp[at:])


def _check_header(header: list[str], message: syntax.Message) -> None:
    """A message without type cannot be placed; everything else can be worked around."""
    if not header[9]:
        raise BridgeError(
            "message-type-missing",
            Fault.SENDER,
            what="MSH-9 is empty",
            where=f"MSH-9, byte {message.offset(0, 9)}",
            do="send the message type and trigger event, such as ADT^A01",
        )


def _infer(lines: list[list[str]], signs: syntax.Delimiters) -> None:
    """Type and event where MSH-9 leaves one out: v2.1 has the event in EVN-1, some only MSH-9.3."""
    header = lines[0]
    code, trigger, structure = [*header[9].split(signs.component), "", "", ""][:3]
    if not header[9] or (code and trigger):
        return
    event = next((fields[1] for fields in lines if fields[0] == "EVN" and len(fields) > 1), "")
    parts = [
        code or structure.partition("_")[0],
        trigger or event.split(signs.component)[0].strip(),
    ]
    header[9] = signs.component.join([*parts, structure] if structure else parts)


def _unmapped(build: Build, profile: SenderProfile) -> None:
    """A trigger that no map knows: kept, and said; refused where the profile says so."""
    if profile.unmapped_trigger == "reject":
        raise BridgeError(
            "unmapped-trigger",
            Fault.SENDER,
            what="the message type or trigger event is not mapped and this sender's profile "
            "refuses such messages",
            where="MSH-9",
            do="send a supported trigger event, or set unmapped_trigger to keep",
        )
    build.ctx.at = "MSH-9"
    build.ctx.note(
        TRIGGER,
        "no map knows this trigger event: its known segments were converted",
    )


def _apply_policy(build: Build, profile: SenderProfile) -> None:
    """A code that no table has is refused where the profile says so."""
    if profile.unmapped_code != "reject":
        return
    place = next((note.where for note in build.ctx.findings if note.code == "code-unmapped"), "")
    if place:
        raise BridgeError(
            "unmapped-code",
            Fault.SENDER,
            what="a code is in no table and this sender's profile refuses such messages",
            where=place,
            do="send a mapped code, or add it to the sender's table",
        )


def _lanes(build: Build) -> tuple[str, ...]:
    """One lane a patient; without a patient the message is its own."""
    keys = build.patients or [build.fallback]
    return tuple(sorted({lane(build.namespace, *key) for key in keys}))


def _findings(ctx: Context) -> tuple[Finding, ...]:
    """The findings, with one more where the bound cut them off."""
    if ctx.suppressed:
        ctx.findings.append(
            Finding(
                code="findings-suppressed",
                severity=Severity.WARNING,
                where="message",
                text=f"{ctx.suppressed} more findings were counted and not listed",
            )
        )
    return tuple(ctx.findings)
