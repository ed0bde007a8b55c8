"""What the server says of itself."""

import json

from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from bridge.api.capability import INTERACTIONS, capability_statement
from bridge.core.search.clauses import searchable
from bridge.core.search.definitions import resource_types


def test_statement_is_valid_and_lists_what_is_searched() -> None:
    """Every type with every parameter that `parse_query` takes."""
    statement = json.loads(capability_statement("https://node.example/fhir"))

    CapabilityStatement.model_validate(statement)
    rows = {row["type"]: row for row in statement["rest"][0]["resource"]}
    assert tuple(rows) == resource_types()
    assert statement["implementation"]["url"] == "https://node.example/fhir"
    for kind, row in rows.items():
        names = tuple(parameter["name"] for parameter in row["searchParam"])
        assert names == (("patient",) if kind == "AuditEvent" else searchable(kind))
        assert [one["code"] for one in row["interaction"]] == list(INTERACTIONS)


def test_no_token_service_is_promised() -> None:
    """A client that is told of one would go there."""
    statement = json.loads(capability_statement("https://node.example/fhir"))

    assert "extension" not in statement["rest"][0]["security"]
