"""What the database holds after a storm, counted past everything that could hide a row."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import text

from bridge.store.database import Database
from tests.scenarios.engine import Letter

__all__ = ["Census", "census"]

WITHOUT_ONE_LEAF = """
SELECT count(*) FROM {subjects} LEFT JOIN (
    SELECT subject, count(*) AS leaves FROM leaf WHERE kind = {kind} GROUP BY subject
) AS l ON l.subject = {subjects}.id WHERE l.leaves IS DISTINCT FROM 1
"""
APPLIED = """
SELECT r.control_id FROM revision n JOIN record r ON r.seq = n.record_seq ORDER BY n.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Every figure but `records` must be zero, and `records` what was acknowledged."""

    records: int
    lost: int
    """Acknowledged, and no record."""
    invented: int
    """Records that nobody was told about: their sender would send them again."""
    doubled: int
    """Control ids with more than one record."""
    records_without_one_leaf: int
    records_without_one_revision: int
    revisions_without_one_leaf: int
    out_of_order: int
    """Patients whose records were not applied in the order in which they were sent."""
    steps_missing: int
    """Patients whose versions do not go through every name that was sent, one after another."""
    not_merged: int
    """Patients who were merged away, and are not inactive with a link to their survivor."""
    quarantined: int
    stalled: int
    """Lanes that wait for a person."""
    still_waiting: int
    """Records in lanes, and leaves of records and revisions without an index."""

    @property
    def faults(self) -> dict[str, int]:
        """What is not as it must be."""
        figures = {one.name: int(getattr(self, one.name)) for one in fields(self)}
        return {name: count for name, count in figures.items() if count and name != "records"}


def census(url: str, sent: Iterable[Letter], acknowledged: Iterable[Letter]) -> Census:
    """Count what is there beside what was sent."""
    database = Database(url, pool_size=1)
    letters = {letter.control: letter for letter in sent}
    told = {letter.control for letter in acknowledged}
    try:
        with database.unit():
            return _counted(_Rows(database), letters, told)
    finally:
        database.close()


class _Rows:
    """Reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, sql: str) -> int:
        """One number."""
        return int(self._database.connection.execute(text(sql)).scalar_one())

    def names(self, sql: str) -> list[str]:
        """One column."""
        return list(self._database.connection.execute(text(sql)).scalars())

    def versions(self) -> list[tuple[str, str, bytes]]:
        """Patient, name's step and body, in order."""
        rows = self._database.connection.execute(
            text(
                "SELECT id, body FROM resource_version "
                "WHERE type = 'Patient' AND NOT deleted ORDER BY id, version"
            )
        )
        return [(row.id, _step(row.body), row.body) for row in rows]


def _step(body: bytes) -> str:
    return body.partition(b'"Step')[2][:6].decode()


def _counted(rows: _Rows, letters: dict[str, Letter], told: set[str]) -> Census:
    stored = Counter(rows.names("SELECT control_id FROM record"))
    patients = _versions(rows)
    return Census(
        records=sum(stored.values()),
        lost=len(told - set(stored)),
        invented=len(set(stored) - told),
        doubled=sum(1 for count in stored.values() if count > 1),
        records_without_one_leaf=rows.count(WITHOUT_ONE_LEAF.format(subjects="record", kind=1)),
        records_without_one_revision=rows.count(
            "SELECT count(*) FROM record r LEFT JOIN (SELECT record_seq, count(*) AS made "
            "FROM revision GROUP BY record_seq) n ON n.record_seq = r.seq "
            "WHERE n.made IS DISTINCT FROM 1"
        ),
        revisions_without_one_leaf=rows.count(WITHOUT_ONE_LEAF.format(subjects="revision", kind=6)),
        out_of_order=len(set(_disorder(rows.names(APPLIED), letters))),
        steps_missing=sum(not _goes_on(steps) for steps, _ in patients.values()),
        not_merged=sum(1 for one in letters.values() if one.retires)
        - sum(
            b'"replaced-by"' in last and b'"active":false' in last for _, last in patients.values()
        ),
        quarantined=rows.count("SELECT count(*) FROM quarantine"),
        stalled=rows.count("SELECT count(*) FROM lane_stalled"),
        still_waiting=rows.count(
            "SELECT (SELECT count(*) FROM lane_queue) "
            "+ (SELECT count(*) FROM leaf_queue WHERE kind IN (1, 6))"
        ),
    )


def _versions(rows: _Rows) -> dict[str, tuple[list[int], bytes]]:
    """Of each patient: the steps that its versions went through, and the last body."""
    found: dict[str, tuple[list[int], bytes]] = {}
    for patient, step, body in rows.versions():
        steps = found.get(patient, ([], b""))[0]
        if not steps or steps[-1] != int(step):
            steps.append(int(step))
        found[patient] = (steps, body)
    return found


def _goes_on(steps: Sequence[int]) -> bool:
    return list(steps) == list(range(len(steps)))


def _disorder(applied: Iterable[str], letters: dict[str, Letter]) -> Iterator[str]:
    """Patients in whose lane a record was applied behind one that was sent after it."""
    last: dict[str, int] = {}
    for control in applied:
        number = int(control.rpartition(".")[2])
        for patient in letters[control].patients:
            if number < last.get(patient, -1):
                yield patient
            last[patient] = number
