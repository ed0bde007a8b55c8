"""Settings: layers, types, and refusals that name the key and the nearest right one."""

from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.settings import load


def test_defaults_alone_are_a_whole_configuration() -> None:
    """A node starts with nothing set."""
    settings = load(environment={})

    assert (settings.chain.name, settings.chain.rpc, settings.log.max_leaves) == (
        "embedded",
        (),
        10_000,
    )


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    """File over default, environment over file, command line over environment."""
    file = tmp_path / "node.toml"
    file.write_text("[http]\nport = 1\nhost = '10.0.0.1'\n[mllp]\nport = 11\n")

    settings = load(
        file=file,
        environment={"FHIR_ANCHOR__HTTP__PORT": "2", "FHIR_ANCHOR__MLLP__PORT": "22"},
        overrides={"mllp.port": 33},
    )

    assert (settings.http.host, settings.http.port, settings.mllp.port) == ("10.0.0.1", 2, 33)


@pytest.mark.parametrize("text", ["http://a,http://b", '["http://a", "http://b"]'])
def test_a_list_in_the_environment_is_json_or_commas(text: str) -> None:
    """Both spellings name two endpoints."""
    settings = load(environment={"FHIR_ANCHOR__CHAIN__RPC": text})

    assert settings.chain.rpc == ("http://a", "http://b")


def test_an_unknown_key_names_the_nearest_right_one() -> None:
    """A typing error in a variable refuses to start instead of being ignored."""
    with pytest.raises(BridgeError, match=r"log\.orign is unknown \(environment\).*log\.origin"):
        load(environment={"FHIR_ANCHOR__LOG__ORIGN": "example.org/log"})


def test_a_value_of_the_wrong_kind_names_its_key() -> None:
    """A port that is no number is refused where it is read."""
    with pytest.raises(BridgeError, match=r"http\.port has a value that does not fit"):
        load(environment={"FHIR_ANCHOR__HTTP__PORT": "eighty"})


def test_an_unreadable_file_is_a_clear_refusal(tmp_path: Path) -> None:
    """A missing --config is named with its path."""
    with pytest.raises(BridgeError, match=r"cannot be read: No such file"):
        load(file=tmp_path / "absent.toml", environment={})


def test_settings_survive_the_environment_of_a_child() -> None:
    """A child process started by `up` has exactly its parent's settings."""
    overrides = {"chain.rpc": ["http://a", "http://b"], "http.port": 0, "log.max_age_s": 0.25}
    settings = load(environment={}, overrides=overrides)

    assert load(environment=settings.as_environment()) == settings
