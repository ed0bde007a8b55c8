"""The FHIR reads as functions, for a request of its own and for a GET inside a Bundle.

https://hl7.org/fhir/R4/http.html, https://hl7.org/fhir/R4/search.html. Each calls one function of
`flows.disclose`; bodies are the stored canonical bytes.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote

from fastapi import Request
from fastapi.responses import Response

from bridge.api import answers
from bridge.api.capability import capability_statement
from bridge.api.documents import document
from bridge.api.node import Disclosing, Node
from bridge.api.queries import asked_in, count_of, moment_of
from bridge.api.searchset import history_bundle, searchset
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import OVERSIGHT, Caller
from bridge.core.record.merge import ResourceRef
from bridge.core.search.definitions import resource_types
from bridge.core.search.parameters import PAGE, parse_query, subset_asked
from bridge.core.search.query import Subset
from bridge.core.search.subset import part_of
from bridge.flows.disclose import (
    History,
    disclose_access,
    disclose_accesses,
    disclose_history,
    disclose_search,
    disclose_version,
)
from bridge.ports.reading import Served

__all__ = [
    "SUBSET",
    "VERSIONS",
    "Asking",
    "known_type",
    "read_url",
    "ref_of",
    "subset_of",
    "version_of",
]

USUAL_PAGE = 50
MAX_PAGE = 1_000
ACCESS_LOG = "AuditEvent"
HISTORY = "_history"
SUBSET = ("_summary", "_elements")
VERSIONS = ("_count", "_since", "before")
WHOLE = Subset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One caller at one FHIR service URL of a node."""

    node: Node
    caller: Caller
    base: str

    @property
    def disclosing(self) -> Disclosing:
        """The ports of a disclosure at this URL."""
        return self.node.disclosing_at(self.base)

    def search(
        self, kind: str, pairs: Sequence[tuple[str, str]], *, lenient: bool = False
    ) -> Response:
        """Search one type; AuditEvent is the node's own access log."""
        if kind == ACCESS_LOG:
            return self._accesses([self._own(pair) for pair in pairs])
        query = parse_query(kind, [self._own(pair) for pair in pairs], lenient=lenient)
        found = disclose_search(query, caller=self.caller, **self.disclosing)
        if not query.subset.whole:
            found = replace(
                found,
                matches=tuple(_part(one, query.subset) for one in found.matches),
                included=tuple(_part(one, query.subset) for one in found.included),
            )
        body = searchset(found, f"{self.base}/{kind}", query.pairs, self.base)
        return answers.fhir(body)

    def _own(self, pair: tuple[str, str]) -> tuple[str, str]:
        """The URL of a resource of this service is that resource, as `Type/id` is."""
        name, value = pair
        return name, ",".join(part.removeprefix(f"{self.base}/") for part in value.split(","))

    def read(
        self,
        kind: str,
        name: str,
        asked: Mapping[str, str] = answers.NOTHING,
        subset: Subset = WHOLE,
    ) -> Response:
        """The newest version; 304 when the headers asked with name it."""
        if kind == ACCESS_LOG and self.caller.roles & OVERSIGHT:
            event = disclose_access(name, caller=self.caller, **self.disclosing)
            if event is not None:
                return answers.resource(_part(event, subset), asked)
        return answers.resource(_part(self._newest(kind, name), subset), asked)

    def document(self, name: str, request: Request) -> Response:
        """What a Binary holds."""
        served = self._newest("Binary", name)
        answer = answers.resource(served, request.headers)
        return document(served, request) if answer.status_code == 200 else answer

    def _newest(self, kind: str, name: str) -> Served:
        return disclose_version(ref_of(kind, name), caller=self.caller, **self.disclosing)

    def vread(self, kind: str, name: str, version: str) -> Response:
        """One version, byte for byte as it was sealed."""
        number = version_of(version, kind)
        ref = ref_of(kind, name)
        served = disclose_version(ref, number, caller=self.caller, **self.disclosing)
        return answers.resource(served)

    def history(self, kind: str, name: str, asked: Mapping[str, str]) -> Response:
        """Versions of one resource, newest first: `_count` of them, since `_since`."""
        history = History(
            ref=ref_of(kind, name),
            count=count_of(asked, "_count", USUAL_PAGE),
            before=version_of(asked["before"], kind) if "before" in asked else None,
            since=moment_of(asked, "_since"),
        )
        found = disclose_history(history, caller=self.caller, **self.disclosing)
        said = [(key, asked[key]) for key in ("_count", "_since") if key in asked]
        url = f"{self.base}/{kind}/{name}/_history"
        return answers.fhir(history_bundle(found, url, said, self.base))

    def _accesses(self, pairs: Sequence[tuple[str, str]]) -> Response:
        """Who was shown what of a patient; reading it is an access too."""
        query = parse_query(ACCESS_LOG, [pair for pair in pairs if pair[0] != "patient"])
        patients = [value for name, value in pairs if name == "patient"]
        shaped = query.sort or query.includes or query.only_count or not query.subset.whole
        if query.clauses or shaped or len(patients) > 1:
            raise BridgeError(
                "search-unknown",
                Fault.SENDER,
                what="the access log is searched by one patient, newest first",
                where=ACCESS_LOG,
                do=f"use patient, _count and {PAGE} alone",
            )
        patient = patients[0].removeprefix("Patient/") if patients else ""
        if patients and not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", patient):
            raise BridgeError(
                "search-value",
                Fault.SENDER,
                what="this is no id of a patient",
                where="patient",
                do="write Patient/id",
            )
        before = version_of(query.page, ACCESS_LOG) if query.page else None
        count = min(query.count or USUAL_PAGE, MAX_PAGE)
        asked = History(ref=ResourceRef("Patient", patient), count=count, before=before)
        found = disclose_accesses(asked, caller=self.caller, **self.disclosing)
        said = [pair for pair in pairs if pair[0] in {"patient", "_count"}]
        return answers.fhir(searchset(found, f"{self.base}/{ACCESS_LOG}", said, self.base))


def _part(served: Served, subset: Subset) -> Served:
    return served if subset.whole else replace(served, body=part_of(served.body, subset))


def read_url(asking: Asking, url: str, headers: Mapping[str, str]) -> Response:
    """A GET inside a Bundle, by its URL relative to the service.

    Raises:
        BridgeError: `request-url` for what is not read inside a Bundle, and all of the reads.
    """
    path, _, query = url.partition("?")
    parts = [unquote(part) for part in path.strip("/").split("/")]
    pairs = [p for p in parse_qsl(query, keep_blank_values=True) if p[0] != "_format"]
    if parts == ["metadata"] and not pairs:
        return answers.fhir(capability_statement(asking.base))
    known_type(asking.node, parts[0])
    if len(parts) == 1:
        return asking.search(parts[0], pairs)
    if len(parts) == 2:
        asked = asked_in(pairs, *SUBSET)
        return asking.read(parts[0], parts[1], headers, subset_of(asked))
    if len(parts) == 3 and parts[2] == HISTORY:
        return asking.history(parts[0], parts[1], asked_in(pairs, *VERSIONS))
    if len(parts) == 4 and parts[2] == HISTORY and not pairs:
        return asking.vread(parts[0], parts[1], parts[3])
    raise BridgeError(
        "request-url",
        Fault.SENDER,
        what="this URL is not read inside a Bundle",
        where="Bundle.entry.request.url",
        do="read Type?query, Type/id, Type/id/_history or Type/id/_history/version",
    )


def subset_of(asked: Mapping[str, str]) -> Subset:
    """The part of one resource that is wanted; `count` counts nothing here."""
    if asked.get("_summary") == "count":
        raise BridgeError(
            "search-value",
            Fault.SENDER,
            what="one resource is not counted",
            where="_summary",
            do="use true, text, data or false",
        )
    return subset_asked(asked.get("_summary", ""), asked.get("_elements", ""))


def known_type(node: Node, kind: str) -> None:
    """Refuse what FHIR R4 has no resource type for.

    Raises:
        BridgeError: `type-unknown`, naming the nearest right one.
    """
    if kind.isalpha() and len(kind) <= 64 and node.is_type(kind):
        return
    near = difflib.get_close_matches(kind[:64], resource_types(), n=1)
    raise BridgeError(
        "type-unknown",
        Fault.SENDER,
        what="FHIR R4 has no resource type of this name",
        where="URL",
        do=f"use {near[0]}" if near else "see /fhir/metadata for the types",
    )


def ref_of(kind: str, name: str) -> ResourceRef:
    """The resource of this name; what is no id of FHIR names nothing that is here.

    Raises:
        BridgeError: `not-found`.
    """
    if not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", name):
        raise BridgeError(
            "not-found",
            Fault.SENDER,
            what="there is no such resource",
            where=kind,
            do="look its id up with a search",
        )
    return ResourceRef(kind, name)


def version_of(text: str, kind: str) -> int:
    """A version id of ours is a number from 1; any other names nothing that is here."""
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise BridgeError(
            "not-found",
            Fault.SENDER,
            what="there is no such version",
            where=kind,
            do="look at _history for the versions that there are",
        )
    return int(text)
