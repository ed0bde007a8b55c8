"""What logs may say."""

import json
import logging

import pytest

from bridge.telemetry import PlacesOnly


def test_traceback_in_a_log_names_places_and_quotes_nothing() -> None:
    """A defect of ours must not print a row of the database."""
    with pytest.raises(ValueError, match="delimiter") as caught:
        json.loads('{"patient": "Geheimnis"')
    logger = logging.getLogger("x")
    cause = (caught.type, caught.value, caught.tb)
    record = logger.makeRecord("x", logging.ERROR, "f", 1, "Geheimnis", (), cause)

    text = PlacesOnly("%(levelname)s %(name)s").format(record)

    assert text.startswith("ERROR x\nJSONDecodeError at test_telemetry.py:")
    assert "Geheimnis" not in text
