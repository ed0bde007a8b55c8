"""Records made again: the dialects' memories, with the site functions that are here now."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.fhir.history import FhirHistory
from adapters.hl7v2.history import Hl7v2History
from adapters.hl7v2.site import register
from bridge.core.ids import RecordId
from bridge.core.proof.report import Check
from bridge.flows.fsck import Derive
from bridge.flows.rederive import Rederived, conversion, rederive
from bridge.ports.mappings import Historian
from bridge.ports.stored import StoredRecord
from workers.overlays import SendersFolder

if TYPE_CHECKING:
    from workers.wiring import Services

__all__ = ["deriving", "rederived"]


def rederived(node: "Services", record: str) -> Rederived:
    """One record of a node; see `flows.rederive`."""
    return rederive(
        RecordId(record),
        stored=node.stored,
        archive=node.mappings,
        historians=_historians(node),
    )


def deriving(node: "Services") -> Derive:
    """For fsck: what the conversion of a record comes to."""
    historians = _historians(node)

    def derive(record: StoredRecord) -> Check:
        return list(conversion(record, archive=node.mappings, historians=historians))[-1]

    return derive


def _historians(node: "Services") -> Mapping[str, Historian]:
    """By dialect. Only files of the senders' folder run, never code out of the database."""
    for site in SendersFolder.of(node.settings).every_function().values():
        register(site)
    return {"hl7v2": Hl7v2History(node.hl7v2), "fhir": FhirHistory()}
