"""Small bundles, written as their canonical text."""

import json

__all__ = ["bundle", "observation", "patient", "practitioner", "removal"]


def bundle(*resources: dict[str, object]) -> str:
    """A message bundle that is merged."""
    entries = [{"resource": one} for one in resources]
    return json.dumps(
        {"entry": entries, "resourceType": "Bundle", "type": "message"},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def patient(name: str, **elements: object) -> dict[str, object]:
    """A Patient."""
    return {"resourceType": "Patient", "id": name, **elements}


def practitioner(name: str, **elements: object) -> dict[str, object]:
    """A Practitioner, whom patients share."""
    return {"resourceType": "Practitioner", "id": name, **elements}


def observation(name: str, subject: str, status: str = "final") -> dict[str, object]:
    """An Observation of a patient."""
    return {
        "resourceType": "Observation",
        "id": name,
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": f"Patient/{subject}"},
    }


def removal(target: str) -> dict[str, object]:
    """The patch that deletes a whole resource."""
    kind, _, _ = target.partition("/")
    parts = [
        {"name": "type", "valueCode": "delete"},
        {"name": "target", "valueString": target},
        {"name": "path", "valueString": kind},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
