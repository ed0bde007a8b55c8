"""Processes, and the only place where ports are constructed."""
