"""FHIR search as values: a resource to its index rows, a query text to its clauses."""
