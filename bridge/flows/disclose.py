"""The only way out for clinical content: decision, content, and the access that is proved.

The access event becomes durable, with its promised leaf, in the transaction that read the content;
when it cannot be written, nothing is shown. Roles decide; a record's status is not content.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, RecordId
from bridge.core.policy.access import CLINICAL, OVERSIGHT, Caller, allow
from bridge.core.policy.audit import Interaction, Shown
from bridge.core.record.links import MAX_RETIRED, taken_over
from bridge.core.record.merge import ResourceRef
from bridge.core.search.people import concerns_a_patient, of_whole_person
from bridge.core.search.query import SearchQuery
from bridge.flows.noting import note_access
from bridge.ports.reading import Page, Reading, Served, Times
from bridge.ports.sources import Clock, Entropy

__all__ = [
    "Everything",
    "History",
    "disclose_access",
    "disclose_accesses",
    "disclose_bundle",
    "disclose_everything",
    "disclose_history",
    "disclose_search",
    "disclose_source",
    "disclose_version",
    "disclose_written",
]


MAX_CHAINED = 1_000
"""Patients that a chain may mean: the retired records of each are looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Which versions of one resource, newest first."""

    ref: ResourceRef
    count: int = 50
    before: int | None = None
    """Only versions below this number: `Page.next` of the page before."""
    since: Instant | None = None
    """Only versions of this moment or later."""


ALWAYS = Times()


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """https://hl7.org/fhir/R4/patient-operation-everything.html."""

    patient: str
    times: Times = ALWAYS
    types: tuple[str, ...] = ()
    """Empty for all."""
    count: int = 200
    page: str = ""


def disclose_version(
    ref: ResourceRef,
    number: int | None = None,
    *,
    caller: Caller,
    reading: Reading,
    clock: Clock,
    entropy: Entropy,
) -> Served:
    """One version of a resource, the newest without a number; a deletion is a version.

    Raises:
        BridgeError: `not-found`, and for each function here `access-refused`, `access-purpose`,
            `store-unavailable`: nothing was shown.
    """
    allow(caller, CLINICAL)
    with reading.unit():
        served = reading.version(ref, number)
        if served is None:
            raise _unknown("resource version" if number else "resource", ref.type[:64])
        interaction = Interaction.VREAD if number else Interaction.READ
        shown = _resources(interaction, [served], reading)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return served


def disclose_written(
    versions: Sequence[tuple[ResourceRef, int]],
    *,
    caller: Caller,
    reading: Reading,
    clock: Clock,
    entropy: Entropy,
) -> tuple[Served, ...]:
    """Versions that the caller has just written, in the order given; one access for all."""
    allow(caller, CLINICAL)
    with reading.unit():
        found = [reading.version(ref, number) for ref, number in versions]
        served = [one for one in found if one is not None]
        shown = _resources(Interaction.READ, served, reading)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return tuple(served)


def disclose_history(
    history: History, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> Page:
    """Versions of one resource, newest first."""
    allow(caller, CLINICAL)
    with reading.unit():
        page = reading.history(
            history.ref, count=history.count, before=history.before, since=history.since
        )
        if not page.total and (history.since is None or reading.version(history.ref) is None):
            raise _unknown("resource", history.ref.type[:64])
        shown = _resources(Interaction.HISTORY, page.matches, reading)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return page


def disclose_search(
    query: SearchQuery, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> Page:
    """One page of matches with what they lead to; an empty page is an answer too, and is noted.

    What is asked of a survivor is asked of the records that it took over, as in `$everything`.
    """
    allow(caller, CLINICAL)
    with reading.unit():
        whole = of_whole_person(
            query,
            lambda patients: _one_person(patients, reading),
            lambda patients: _found(patients, caller, reading),
        )
        page = _also_of_retired(query, reading.search(whole, caller=caller.subject), reading)
        served = (*page.matches, *page.included)
        parameters = tuple(dict.fromkeys(name for name, _ in query.pairs))
        shown = _resources(Interaction.SEARCH, served, reading, parameters=parameters)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return page


def _found(patients: SearchQuery, caller: Caller, reading: Reading) -> tuple[str, ...]:
    """Ids of the patients that a chain means.

    Raises:
        BridgeError: `search-chained` for more than `MAX_CHAINED`.
    """
    page = reading.search(replace(patients, count=MAX_CHAINED), caller=caller.subject)
    if page.next:
        raise BridgeError(
            "search-chained",
            Fault.SENDER,
            what=f"more than {MAX_CHAINED} patients meet the chain",
            where="query",
            do="name fewer patients, or search them first",
        )
    return tuple(one.ref.id for one in page.matches)


def _also_of_retired(query: SearchQuery, page: Page, reading: Reading) -> Page:
    """The page with what `_revinclude` finds of the records that its patients took over."""
    asked = tuple(
        one for one in query.includes if one.reverse and concerns_a_patient(one.source, one.param)
    )
    matched = [one.ref.id for one in page.matches]
    if query.resource_type != "Patient" or not asked or not matched:
        return page
    retired = [name for name in _one_person(matched, reading) if name not in matched]
    refs = [ResourceRef("Patient", name) for name in retired]
    known = {one.ref for one in page.included}
    more = reading.included(replace(query, includes=asked), refs)
    return replace(page, included=(*page.included, *(m for m in more if m.ref not in known)))


def disclose_everything(
    everything: Everything, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> Page:
    """The patient, the compartment, and what these refer to, page by page.

    Of a survivor also what was filed under the records that it took over: a clinician who reads one
    person must find all of it, and the links are what an undone merge takes away again.
    """
    allow(caller, CLINICAL)
    with reading.unit():
        found = reading.version(ResourceRef("Patient", everything.patient))
        if found is None:
            raise _unknown("resource", "Patient")
        page = reading.everything(
            _one_person([everything.patient], reading),
            times=everything.times,
            types=everything.types,
            count=everything.count,
            page=everything.page,
            caller=caller.subject,
        )
        patient = (everything.patient,) if page.matches else ()
        shown = _resources(Interaction.OPERATION, page.matches, reading, patients=patient)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return page


def _one_person(patients: Sequence[str], reading: Reading) -> tuple[str, ...]:
    """These ids, then those of the records that they took over, and of those that these took."""
    known = dict.fromkeys(patients)
    waiting = list(known)
    bound = len(known) + MAX_RETIRED
    while waiting:
        links = [taken_over(one.ref.id, one.body, waiting) for one in reading.linked(waiting)]
        further = dict.fromkeys(name for names in links for name in names if name not in known)
        waiting = list(further)[: bound - len(known)]
        known.update(dict.fromkeys(waiting))
    return tuple(known)


def disclose_source(
    record: RecordId, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> bytes:
    """The bytes of a record, or of a quarantined input, as they were received."""
    allow(caller, CLINICAL)
    with reading.unit():
        source = reading.source(record)
        if source is None:
            raise _unknown("record", "record")
        shown = _part_of(record, "source", reading)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return source


def disclose_bundle(
    record: RecordId, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> bytes:
    """The canonical bundle of a record, byte for byte as it was hashed."""
    allow(caller, CLINICAL)
    with reading.unit():
        bundle = reading.bundle(record)
        if bundle is None:
            raise _unknown("record", "record")
        shown = _part_of(record, "bundle", reading)
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return bundle


def disclose_accesses(
    history: History, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> Page:
    """Who was shown what of a patient (`history.ref`), newest first; reading it is noted too.

    Of a survivor also who was shown what the records had that it took over.
    """
    allow(caller, OVERSIGHT)
    with reading.unit():
        patients = _one_person([history.ref.id], reading) if history.ref.id else ()
        page = reading.accesses(patients=patients, count=history.count, before=history.before)
        shown = Shown(
            interaction=Interaction.SEARCH,
            names=tuple(str(one.ref) for one in page.matches),
            patients=patients,
            parameters=("patient",) if patients else (),
        )
        note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return page


def disclose_access(
    name: str, *, caller: Caller, reading: Reading, clock: Clock, entropy: Entropy
) -> Served | None:
    """One access event, None when there is none of this id; reading it is noted too."""
    allow(caller, OVERSIGHT)
    with reading.unit():
        served = reading.access(name)
        if served is not None:
            shown = Shown(interaction=Interaction.READ, names=(str(served.ref),))
            note_access(shown, caller=caller, reading=reading, clock=clock, entropy=entropy)
    return served


def _resources(
    interaction: Interaction,
    served: Sequence[Served],
    reading: Reading,
    *,
    patients: tuple[str, ...] = (),
    parameters: tuple[str, ...] = (),
) -> Shown:
    refs = [one.ref for one in served]
    return Shown(
        interaction=interaction,
        names=tuple(f"{one.ref}/_history/{one.version}" for one in served),
        patients=tuple(sorted({*patients, *reading.patients_of(refs)})),
        parameters=parameters,
    )


def _part_of(record: RecordId, part: str, reading: Reading) -> Shown:
    return Shown(
        interaction=Interaction.READ,
        names=(f"records/{record}/{part}",),
        patients=reading.patients_of(reading.touched(record)),
    )


def _unknown(what: str, where: str) -> BridgeError:
    return BridgeError(
        "not-found",
        Fault.SENDER,
        what=f"there is no such {what}",
        where=where,
        do="look its id up with a search",
    )
