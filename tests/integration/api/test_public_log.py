"""`/log`: public, cacheable, and what a stranger's reader of tlog-tiles expects."""

from tests.served_api import ServedApi
from tests.spec.tile_reader import read_log

ER7 = {"Content-Type": "x-application/hl7-v2+er7"}


def _sealed(api: ServedApi, control_id: str) -> None:
    """One message under a checkpoint."""
    raw = (
        "MSH|^~\\&|LAB|FAC|X|X|20240102030405||ADT^A01|%s|P|2.5.1\r"
        "EVN||20240102030405\rPID|1||99^^^LAB^MR||Doe^Ann\rPV1|1|I\r"
    )
    answer = api["sender"].post("/hl7v2", content=(raw % control_id).encode(), headers=ER7)
    assert answer.status_code == 200
    api.sequence()


def test_log_is_public_and_cacheable(api: ServedApi) -> None:
    """Checkpoint fresh, tiles for ever, wrong names 400 or 404."""
    _sealed(api, "P1")

    checkpoint = api["nobody"].get("/log/checkpoint")
    size = int(checkpoint.text.splitlines()[1])
    partial = f".p/{size % 256}" if size % 256 else ""
    tile = api["nobody"].get(f"/log/tile/0/000{partial}")
    entries = api["nobody"].get(f"/log/tile/entries/000{partial}")

    assert checkpoint.headers["cache-control"] == "no-cache"
    assert len(tile.content) == 32 * (size % 256 or 256)
    assert "immutable" in tile.headers["cache-control"]
    assert entries.status_code == 200
    assert api["nobody"].get("/log/tile/0/999").status_code == 404
    assert api["nobody"].get("/log/tile/x/y").status_code == 400


def test_strangers_reader_reads_the_served_log(api: ServedApi) -> None:
    """A reader of tlog-tiles that was written from the public text alone finds no fault."""
    _sealed(api, "T1")

    def fetch(path: str) -> bytes:
        answer = api["nobody"].get(f"/log/{path}")
        assert answer.status_code == 200, path
        return answer.content

    size, entries = read_log(fetch, api.services.signer.verifier_key)

    assert size == len(entries) > 0
    assert {len(entry) for entry in entries} == {52}
