"""A record: canonical bytes, identity, claims and how it meets what is stored."""
