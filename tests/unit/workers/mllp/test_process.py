"""Settings to listeners: every key reaches the door, a wrong one refuses to start."""

from pathlib import Path

import pytest
import structlog

from bridge.core.errors import BridgeError
from bridge.settings import load
from workers.mllp.process import listeners
from workers.wiring import Services

LOG = structlog.stdlib.get_logger()


def made(**overrides: object) -> list[object]:
    """The listeners of these settings of the door."""
    settings = load(
        environment={}, overrides={f"mllp.{key}": value for key, value in overrides.items()}
    )
    return list(listeners(settings, Services(settings), LOG))


def test_every_key_reaches_its_listener() -> None:
    """What an operator writes is what the door does."""
    settings = load(
        environment={},
        overrides={
            "mllp.listener": [
                {
                    "port": 2576,
                    "host": "::1",
                    "sender": "labx",
                    "allow": ["10.0.0.0/8"],
                    "mode": "original",
                    "messages_per_s": 50,
                    "max_connections": 3,
                    "max_frame_bytes": 4096,
                    "idle_timeout_s": 7,
                    "frame_timeout_s": 8,
                }
            ]
        },
    )

    first, second = listeners(settings, Services(settings), LOG)

    assert (first.port, first.sender, first.mode) == (2575, "", "by-message")
    assert first.limits.messages_per_s is None
    assert (second.host, second.port, second.sender, second.mode) == (
        "::1",
        2576,
        "labx",
        "original",
    )
    assert [str(network) for network in second.allow] == ["10.0.0.0/8"]
    assert (second.limits.connections, second.limits.frame_bytes) == (3, 4096)
    assert (second.limits.idle_s, second.limits.frame_s) == (7, 8)
    assert second.limits.messages_per_s == 50
    assert second.feed.startswith("mllp-2576/")
    assert first.feed.split("/")[1] != second.feed.split("/")[1]


def test_pinned_sender_without_overlay_refuses_to_start() -> None:
    """A misspelt profile would convert a feed by nobody's rules."""
    with pytest.raises(BridgeError, match=r"there is no sender laby \(mllp\.sender.*use labx"):
        made(sender="laby")


def test_certificate_that_cannot_be_read_refuses_to_start(tmp_path: Path) -> None:
    """A door that was meant to be encrypted never opens in the clear."""
    with pytest.raises(BridgeError, match=r"certificate or key of the MLLP door cannot be read"):
        made(certificate=str(tmp_path / "absent.pem"))
