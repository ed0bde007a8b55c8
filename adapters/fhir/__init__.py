"""FHIR R4 JSON as a dialect: what a sender may say, judged whole, and kept as written."""
