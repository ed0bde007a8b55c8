"""The anchoring contract: source, built artefact, and the rules to build it again."""
