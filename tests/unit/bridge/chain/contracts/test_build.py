"""The committed artefact is what the committed source compiles to."""

from bridge.chain.contracts.build import ARTEFACT, compile_artefact


def test_artefact_is_what_the_source_compiles_to() -> None:
    """The same bytes, for every EVM profile: nobody deploys code that nobody can read."""
    assert compile_artefact() == ARTEFACT.read_bytes()
