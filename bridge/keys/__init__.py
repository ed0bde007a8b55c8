"""Signers: the log's key in a file or in a service that keeps it."""
