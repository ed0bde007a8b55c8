"""HL7 version 2: bytes of one message to one canonical FHIR R4 bundle, and back to its answer."""
