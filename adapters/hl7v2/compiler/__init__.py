"""Mapping rows in TOML to one Python function a segment map: read, layered, checked, emitted."""
