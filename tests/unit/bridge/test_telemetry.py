"""What logs may say."""

import json
import logging
import subprocess
import sys
from pathlib import Path

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


def test_a_full_disk_under_the_log_stops_no_work() -> None:
    """What cannot be logged is lost; a door that raised for it would lose its connections."""
    speak = "import sys; from bridge.telemetry import configure_logs as made; log = made('mllp')"
    work = "[log.info('connected') for _ in range(1000)]; print('done')"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", f"{speak}; {work}"],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stdout) == (0, "done\n")
