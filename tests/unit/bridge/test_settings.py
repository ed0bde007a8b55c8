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


def test_keys_of_the_door_are_its_first_listener() -> None:
    """FHIR_ANCHOR__MLLP__HOST and PORT alone are a whole door."""
    settings = load(environment={"FHIR_ANCHOR__MLLP__PORT": "2600"})

    assert [(one.host, one.port) for one in settings.mllp.listeners] == [("127.0.0.1", 2600)]


def test_listeners_take_what_they_leave_out_from_the_door(tmp_path: Path) -> None:
    """A second listener says what differs; the rest is as in [mllp]."""
    file = tmp_path / "node.toml"
    file.write_text(
        "[mllp]\nallow = ['10.0.0.0/8']\nmode = 'original'\nidle_timeout_s = 5\n"
        "[[mllp.listener]]\nport = 2576\nsender = 'labx'\nallow = []\n"
    )

    first, second = load(file=file, environment={}).mllp.listeners

    assert (first.port, first.sender, [str(one) for one in first.allow]) == (
        2575,
        "",
        ["10.0.0.0/8"],
    )
    assert (second.port, second.sender, second.allow) == (2576, "labx", ())
    assert (second.host, second.mode, second.idle_timeout_s) == ("127.0.0.1", "original", 5)


def test_listeners_survive_the_environment_of_a_child() -> None:
    """Also tables, networks and certificate names come back from variables."""
    table = {
        "port": 2576,
        "certificate": "/c.pem",
        "client_ca": "/ca.pem",
        "certificate_senders": ["lab, ward=3=labx"],
        "allow": ["10.0.0.0/8"],
    }
    settings = load(environment={}, overrides={"mllp.listener": [table]})

    assert load(environment=settings.as_environment()) == settings


def test_a_listener_with_an_unknown_key_names_the_nearest() -> None:
    """A misspelt security setting refuses to start."""
    with pytest.raises(BridgeError, match=r"listener\.alow is unknown.*mllp\.listener\.allow"):
        load(environment={}, overrides={"mllp.listener": [{"port": 1, "alow": []}]})


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        pytest.param({"mllp.listener": [{"host": "::1"}]}, "needs a port of its own", id="no-port"),
        pytest.param(
            {"mllp.listener": [{"port": 2575}]}, "same host and port", id="one-port-twice"
        ),
        pytest.param(
            {"mllp.certificate_senders": ["lab=labx"]}, "needs client_ca", id="names-without-ca"
        ),
        pytest.param({"mllp.client_ca": "ca.pem"}, "client_ca needs certificate", id="ca-alone"),
        pytest.param(
            {"mllp.allow": ["10.0.0.1/8"]}, "not a valid IPv4 or IPv6 network", id="no-network"
        ),
        pytest.param({"mllp.mode": "both"}, "by-message", id="mode"),
    ],
)
def test_a_door_that_cannot_be_meant_is_refused(overrides: dict[str, object], said: str) -> None:
    """A listener that would let in nobody, or somebody else, does not start."""
    with pytest.raises(BridgeError, match=said):
        load(environment={}, overrides=overrides)


def test_a_broken_list_in_the_environment_names_its_key() -> None:
    """Half a JSON list is refused, not taken for a text."""
    with pytest.raises(BridgeError, match=r"mllp\.listener is no JSON list"):
        load(environment={"FHIR_ANCHOR__MLLP__LISTENER": '[{"port": 1'})
