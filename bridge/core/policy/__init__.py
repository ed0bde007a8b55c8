"""Decisions about access, and the events that record them, as values."""
