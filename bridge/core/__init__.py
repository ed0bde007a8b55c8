"""Pure rules whose bytes are law: standard library, cryptography and msgspec only."""
