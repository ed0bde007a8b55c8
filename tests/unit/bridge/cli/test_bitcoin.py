"""The source of headers over real HTTP on loopback, honest and lying."""

import pytest

from bridge.cli.bitcoin import EsploraReader
from bridge.core.errors import BridgeError
from bridge.core.proof.bitcoin import parse_bitcoin_header
from tests.stamping import bitcoin_header, serving

HEADER = bitcoin_header(bytes(32))
HASH = parse_bitcoin_header(HEADER).hash.hex()
HONEST = {"/api/block-height/7": HASH, f"/api/block/{HASH}/header": HEADER.hex()}


def _header(answers: dict[str, str], height: int = 7) -> bytes | None:
    def answer(_method: str, path: str, _body: bytes) -> tuple[int, bytes]:
        return (200, answers[path].encode()) if path in answers else (404, b"Block not found")

    with serving(answer) as url:
        return EsploraReader(f"{url}/api/").header(height)


def test_header_is_found_by_height() -> None:
    """By the hash at that height, then the header of that hash."""
    assert _header(HONEST) == HEADER


def test_height_beyond_the_chain_has_no_header() -> None:
    """Nor a hash whose header is gone."""
    assert _header(HONEST, 8) is None
    assert _header({"/api/block-height/7": HASH}) is None


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"/api/block-height/7": "<html>"}, "not hex of the right length"),
        (
            {"/api/block-height/7": "ab" * 32, f"/api/block/{'ab' * 32}/header": HEADER.hex()},
            "hash",
        ),
    ],
)
def test_lying_source_is_refused(answers: dict[str, str], words: str) -> None:
    """A header of another block than the one it named, and anything else."""
    with pytest.raises(BridgeError, match=words):
        _header(answers)


def test_unreachable_source_is_named_by_its_host_alone() -> None:
    """The path may hold a key."""
    with pytest.raises(BridgeError, match=r"\(source of headers 127.0.0.1\)"):
        EsploraReader("http://127.0.0.1:9/secret").header(7)
    with pytest.raises(BridgeError, match="HTTP 500"), serving(lambda *_: (500, b"")) as url:
        EsploraReader(url).header(7)


def test_other_schemes_are_refused() -> None:
    """A file is no server."""
    with pytest.raises(BridgeError, match="not an http or https URL"):
        EsploraReader("file:///etc/passwd")


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://[bad", "https://x:abc", "x"])
def test_what_is_no_url_is_refused_before_anything_is_asked(url: str) -> None:
    """One line, whatever was mistyped."""
    with pytest.raises(BridgeError, match="is not an http or https URL"):
        EsploraReader(url)
