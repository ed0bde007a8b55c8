"""The commands of `fhir-anchor`, a group of them a file.

Imports stand inside the commands: `verify` must run where no server dependency is installed, and
every command should start quickly.
"""
