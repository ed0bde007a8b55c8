"""Settings to services: the only place where a port is constructed.

What only some processes need, and what takes long to import, is imported where it is made: `up`,
beat and the MLLP door start without an EVM library, a worker without the clinical dialects.
"""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from bridge.chain.opentimestamps import OpenTimestamps
from bridge.chain.rfc3161 import TimeStampAuthority
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.log.note import VerifierKey
from bridge.embedded import postgres
from bridge.flows.anchor import Budget
from bridge.keys.admin import admin_token
from bridge.keys.file import FileSigner, open_signer
from bridge.ports.stamps import Stamper
from bridge.settings import Settings
from bridge.store.anchors import PostgresAnchors
from bridge.store.answers import PostgresAnswers
from bridge.store.database import Database
from bridge.store.events import PostgresEvents
from bridge.store.evidence import PostgresEvidence
from bridge.store.feeds import PostgresFeeds
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.mappings import PostgresMappings
from bridge.store.migrations import upgrade
from bridge.store.reading import PostgresReading
from bridge.store.stamps import PostgresStamps
from bridge.store.stored import PostgresStored
from bridge.store.versions import PostgresVersions
from bridge.store.work_items import PostgresWorkItems
from workers.places import ADMIN_TOKEN
from workers.sources import SystemClock, SystemEntropy

if TYPE_CHECKING:
    from adapters.fhir.dialect import FhirDialect
    from adapters.hl7v2.dialect import Hl7v2
    from bridge.chain.evm import EvmChain

__all__ = ["Services"]


class Services:
    """The parts of one process, each made when it is first asked for.

    A worker that only sequences never looks for a chain, and a door never asks for a signing key.
    """

    def __init__(self, settings: Settings, *, statement_s: float = 0) -> None:
        """Touches nothing yet; `statement_s` is as for `Database`."""
        self.settings = settings
        self._statement_s = statement_s
        self.clock = SystemClock()
        self.entropy = SystemEntropy()

    @cached_property
    def database(self) -> Database:
        """The configured PostgreSQL, else the embedded one of the data folder."""
        store = self.settings.store
        url = store.url or postgres.start(self.settings.data)
        address = _with_password(url, store.password_file)
        return Database(address, pool_size=store.pool_size, statement_s=self._statement_s)

    @cached_property
    def answers(self) -> PostgresAnswers:
        """Application acknowledgements that are owed."""
        return PostgresAnswers(self.database)

    @cached_property
    def feeds(self) -> PostgresFeeds:
        """Counts and notes of what came in."""
        return PostgresFeeds(self.database)

    @cached_property
    def intake(self) -> PostgresIntake:
        """The append-only side."""
        return PostgresIntake(self.database, self._document)

    def _document(self, mapping: Digest) -> bytes | None:
        """A mapping of one of the dialects; FHIR's first, which needs no compilation."""
        from adapters.fhir.history import FhirHistory

        return FhirHistory().mappings.get(mapping) or self.hl7v2.mappings.get(mapping)

    @cached_property
    def versions(self) -> PostgresVersions:
        """The projected side."""
        return PostgresVersions(self.database)

    @cached_property
    def reading(self) -> PostgresReading:
        """What clinics and record holders are shown."""
        public = self.settings.http.public_url.rstrip("/")
        return PostgresReading(self.database, *([f"{public}/fhir"] if public else []))

    @cached_property
    def evidence(self) -> PostgresEvidence:
        """What receipts are made of."""
        return PostgresEvidence(self.database)

    @cached_property
    def book(self) -> PostgresLogBook:
        """The log."""
        return PostgresLogBook(self.database)

    @cached_property
    def anchors(self) -> PostgresAnchors:
        """What was sent to the chain, and what became of it."""
        return PostgresAnchors(self.database)

    @property
    def budget(self) -> Budget:
        """What anchoring may cost."""
        asked = self.settings.anchor
        return Budget(wei=asked.budget_gwei * 10**9, period=timedelta(seconds=asked.budget_s))

    @cached_property
    def events(self) -> PostgresEvents:
        """What the log says of itself."""
        return PostgresEvents(self.database)

    @cached_property
    def stamps(self) -> PostgresStamps:
        """What was asked of systems beside the chain."""
        return PostgresStamps(self.database)

    @cached_property
    def stampers(self) -> tuple[tuple[Stamper, timedelta], ...]:
        """Every configured system that stamps, and how often it is asked."""
        ots, tsa = self.settings.opentimestamps, self.settings.rfc3161
        found: list[tuple[Stamper, timedelta]] = []
        if ots.calendars:
            found.append((OpenTimestamps(ots.calendars), timedelta(seconds=ots.every_s)))
        if tsa.url:
            authority = TimeStampAuthority(tsa.url, self.entropy)
            found.append((authority, timedelta(seconds=tsa.every_s)))
        return tuple(found)

    @cached_property
    def signer(self) -> FileSigner:
        """The log's key, made on first use."""
        origin = self.settings.log.origin
        return open_signer(self.key_file, origin=origin, entropy=self.entropy)

    @property
    def key_file(self) -> Path:
        """Where the log's keys are."""
        named = self.settings.log.key_file
        return Path(named) if named else self.settings.data / "log.key"

    @cached_property
    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """Whose signatures this log's checkpoints carry."""
        return tuple(map(VerifierKey.parse, self.signer.verifier_keys))

    @cached_property
    def mappings(self) -> PostgresMappings:
        """Mappings by digest."""
        return PostgresMappings(self.database)

    @cached_property
    def work_items(self) -> PostgresWorkItems:
        """Codes that wait for a person."""
        return PostgresWorkItems(self.database)

    @cached_property
    def stored(self) -> PostgresStored:
        """Everything that fsck recomputes."""
        return PostgresStored(self.database)

    @cached_property
    def chain(self) -> "EvmChain":
        """The chain of this node, with its contract verified."""
        from workers.anchoring import anchoring_chain

        return anchoring_chain(self.settings, self.signer, self.entropy, self.anchors)

    def close(self) -> None:
        """End the database connections, if there are any."""
        if "database" in vars(self):
            self.database.close()

    def prepare(self) -> None:
        """Make what a new node lacks: tables, log key, admin token. Harmless when all is there."""
        upgrade(self.database)
        self.signer  # noqa: B018 - made on first use
        admin_token(self.settings.data / ADMIN_TOKEN)

    @cached_property
    def hl7v2(self) -> "Hl7v2":
        """The HL7v2 dialect with the overlays of this node's senders."""
        from workers.dialects import hl7v2_of

        return hl7v2_of(self.settings)

    @cached_property
    def fhir(self) -> "FhirDialect":
        """The FHIR dialect."""
        from adapters.fhir.dialect import FhirDialect

        return FhirDialect()


def _with_password(url: str, file: str) -> str:
    """The URL with the password of the file after the user's name."""
    if not file:
        return url
    try:
        password = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BridgeError(
            "password-file",
            Fault.OPERATOR,
            what="the database password file cannot be read",
            where=f"store.password_file {file}",
            do="make it readable for this process",
        ) from error
    scheme, _, rest = url.partition("://")
    user, _, host = rest.partition("@")
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}"
