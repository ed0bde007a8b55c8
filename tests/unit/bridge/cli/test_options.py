"""HOST:PORT and the layers that every command shares."""

from pathlib import Path

import pytest
import typer

from bridge.cli.options import host_port, http_url, settings_of


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), ("host:65535", "host", 65535)],
)
def test_host_and_port_are_told_apart(text: str, host: str, port: int) -> None:
    """IPv6 stands in brackets."""
    assert host_port("http", text) == {"http.host": host, "http.port": port}


@pytest.mark.parametrize("text", ["8080", ":8080", "host:", "host:x", "host:65536", "host:-1", ""])
def test_anything_else_is_a_usage_error(text: str) -> None:
    """One line that shows the right form."""
    with pytest.raises(typer.BadParameter, match=r"is not HOST:PORT, such as 127\.0\.0\.1:8080"):
        host_port("http", text)


def test_nothing_given_overrides_nothing() -> None:
    """The option is optional."""
    assert host_port("http", None) == {}


def test_the_data_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process with another working folder finds the same node."""
    monkeypatch.chdir(tmp_path)

    assert settings_of(Path("node"), None).data == tmp_path / "node"


@pytest.mark.parametrize(
    "text",
    [
        *("", "node", "ftp://node", "http://", "http://node:x", "http://[::1", "http://n:99999"),
        *("http://a..b", "http://" + "a" * 64),
    ],
)
def test_what_is_no_url_is_a_usage_error(text: str) -> None:
    """Before a client library meets it."""
    with pytest.raises(typer.BadParameter, match="is no URL"):
        http_url(text)


@pytest.mark.parametrize("text", ["http://node", "https://node:8443/x", "http://[::1]:8080"])
def test_url_is_taken_as_it_is(text: str) -> None:
    """With or without port and path."""
    assert http_url(text) == text
