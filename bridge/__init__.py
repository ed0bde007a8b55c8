"""The bridge: evidence, storage, chain and doors. It knows no clinical dialect."""
