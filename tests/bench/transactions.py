"""A feed of FHIR transactions: received and projected before each answer.

Run `PYTHONPATH=. python tests/bench/transactions.py [RESOURCES]`: an embedded PostgreSQL and the
flow that `POST /fhir` calls, one writer after another and two side by side. A transaction is an
encounter with its patient and eight observations, checked against R4 as any other. One JSON object
a number of writers, with the processor time of a resource in writers and in PostgreSQL.
"""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import psutil

from adapters.fhir.dialect import FhirDialect
from bridge.embedded import postgres
from bridge.flows.receive import Inbound
from bridge.flows.write import Ports, receive_and_project
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.schema import metadata
from bridge.store.versions import PostgresVersions
from tests.bench.intake import used
from tests.bench.records import Sources

__all__ = ["main"]

RESOURCES = 4_000
OBSERVATIONS = 8
EACH = OBSERVATIONS + 2


def main(resources: int = RESOURCES) -> None:
    """One line a number of writers."""
    folder = Path(tempfile.mkdtemp(prefix="fhir-anchor-bench-"))
    url = postgres.start(folder)
    database = Database(url)
    metadata.create_all(database.engine)
    server = psutil.Process(int((folder / "cluster" / "postmaster.pid").read_text().split()[0]))
    try:
        for writers in (1, 2):
            load, before, began = os.getloadavg()[0], used(server), time.perf_counter()
            with multiprocessing.get_context("spawn").Pool(writers) as pool:
                shares = [(url, writer, resources // EACH // writers) for writer in range(writers)]
                done = pool.starmap(write, shares)
            count = resources // EACH // writers * writers * EACH
            figures = {
                "writers": writers,
                "resources_per_s": round(sum(n / seconds for n, seconds, _ in done)),
                "writer_us": round(sum(cpu for *_, cpu in done) / count * 1e6),
                "postgres_us": round((used(server) - before) / count * 1e6),
                "seconds_with_start": round(time.perf_counter() - began, 1),
                "load": round(load, 1),
            }
            sys.stdout.write(json.dumps(figures) + "\n")
            sys.stdout.flush()
    finally:
        database.close()
        postgres.stop(folder)


def write(url: str, writer: int, transactions: int) -> tuple[int, float, float]:
    """Resources, seconds and processor seconds of one writer, its first transaction apart."""
    database, sources = Database(url), Sources()
    ports = Ports(
        dialect=FhirDialect(),
        intake=PostgresIntake(database),
        versions=PostgresVersions(database),
        clock=sources,
        entropy=sources,
    )
    began, cpu = 0.0, 0.0
    for number in range(transactions + 1):
        raw = _transaction(f"{os.getpid()}-{writer}-{number}")
        inbound = Inbound(raw=raw, feed="bench", number=number, sender="bench")
        written = receive_and_project(inbound, ports)
        assert written.received.status == "stored", written.received.reason
        if not number:
            began, cpu = time.perf_counter(), time.process_time()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    database.close()
    return transactions * EACH, seconds, cpu


def _transaction(name: str) -> bytes:
    patient, encounter, *observations = (
        f"urn:uuid:{uuid5(NAMESPACE_URL, f'{name}/{n}')}" for n in range(EACH)
    )
    resources: dict[str, dict[str, object]] = {
        patient: {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:bench", "value": name}],
            "name": [{"family": f"Everyman{name}", "given": ["Adam"]}],
            "birthDate": "1962-01-14",
        },
        encounter: {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "AMB",
            },
            "subject": {"reference": patient},
        },
    }
    for n, observation in enumerate(observations):
        resources[observation] = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
            "subject": {"reference": patient},
            "encounter": {"reference": encounter},
            "effectiveDateTime": "2024-01-01T12:00:00+01:00",
            "valueQuantity": {
                "value": 13 + n,
                "unit": "g/dL",
                "system": "http://unitsofmeasure.org",
                "code": "g/dL",
            },
        }
    entries = [
        {
            "fullUrl": url,
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for url, resource in resources.items()
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
