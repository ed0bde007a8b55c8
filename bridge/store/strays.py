"""Rows that nothing accounts for: each points at another that is not there, or not as it says."""

from sqlalchemy import Connection, text

__all__ = ["first_stray"]

STATEMENTS = (
    text("""
SELECT 'leaf ' || index || ' of record ' || subject FROM leaf
WHERE kind = 1 AND NOT EXISTS (SELECT FROM record WHERE id = subject) ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'leaf ' || index || ' of revision ' || subject FROM leaf
WHERE kind = 6 AND NOT EXISTS (SELECT FROM revision WHERE id = subject) ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'leaf ' || index || ' of access ' || subject FROM leaf
WHERE kind = 5 AND NOT EXISTS (SELECT FROM access WHERE id = subject) ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'access_patient ' || p.patient FROM access_patient AS p
WHERE NOT EXISTS (SELECT FROM access AS a WHERE a.seq = p.access) LIMIT 1
"""),
    text("""
SELECT 'checkpoint of size ' || c.size FROM checkpoint AS c
WHERE c.size > coalesce((SELECT max(size) FROM head), 0) ORDER BY c.size LIMIT 1
"""),
    text("""
SELECT 'leaf ' || index || ' of event ' || subject FROM leaf
WHERE kind IN (3, 4) AND NOT EXISTS (SELECT FROM log_event WHERE id = subject)
ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'event ' || e.id FROM log_event AS e
WHERE NOT EXISTS (SELECT FROM leaf AS l WHERE l.subject = e.id)
AND NOT EXISTS (SELECT FROM leaf_queue AS q WHERE q.subject = e.id) LIMIT 1
"""),
    text("""
SELECT 'revision ' || v.id FROM revision AS v
WHERE NOT EXISTS (SELECT FROM record AS r WHERE r.seq = v.record_seq) ORDER BY v.seq LIMIT 1
"""),
    text("""
SELECT 'resource version ' || type || '/' || id || '/' || version FROM resource_version AS v
WHERE NOT EXISTS (SELECT FROM revision AS r WHERE r.id = v.revision AND r.at = v.at)
    OR NOT EXISTS (SELECT FROM resource AS r WHERE (r.type, r.id) = (v.type, v.id)) LIMIT 1
"""),
    text("""
SELECT 'resource ' || r.type || '/' || r.id FROM resource AS r
LEFT JOIN resource_version AS v ON (v.type, v.id, v.version) = (r.type, r.id, r.version)
WHERE r.version > 0 AND (v.version IS NULL OR v.deleted <> r.deleted
    OR v.at IS DISTINCT FROM r.updated OR EXISTS (
    SELECT FROM resource_version AS w
    WHERE (w.type, w.id) = (r.type, r.id) AND w.version > r.version)) LIMIT 1
"""),
    text("""
SELECT 'pending leaf ' || q.id || ' of ' || q.subject FROM leaf_queue AS q
WHERE NOT EXISTS (
    SELECT FROM record WHERE q.kind = 1 AND id = q.subject
    UNION ALL SELECT FROM revision WHERE q.kind = 6 AND id = q.subject
    UNION ALL SELECT FROM access WHERE q.kind = 5 AND id = q.subject
    UNION ALL SELECT FROM log_event AS e WHERE e.kind = q.kind AND e.id = q.subject
) ORDER BY q.id LIMIT 1
"""),
    text("""
SELECT 'leaf ' || index || ' of no kind of ours' FROM leaf
WHERE kind NOT IN (1, 3, 4, 5, 6) ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'record ' || r.id || ', which neither was applied nor waits' FROM record AS r
WHERE NOT EXISTS (SELECT FROM revision AS v WHERE v.record_seq = r.seq)
AND NOT EXISTS (SELECT FROM lane_queue AS q WHERE q.seq = r.seq) ORDER BY r.seq LIMIT 1
"""),
    text("""
SELECT 'wait of record number ' || q.seq FROM lane_queue AS q
WHERE NOT EXISTS (SELECT FROM record AS r WHERE r.seq = q.seq)
    OR EXISTS (SELECT FROM revision AS v WHERE v.record_seq = q.seq) ORDER BY q.seq LIMIT 1
"""),
    text("""
SELECT 'stalled lane of record number ' || s.seq FROM lane_stalled AS s
WHERE NOT EXISTS (SELECT FROM lane_queue AS q WHERE (q.seq, q.lane) = (s.seq, s.lane)) LIMIT 1
"""),
    text("""
SELECT 'refused input ' || q.id || ', retried as a record that is not there' FROM quarantine AS q
WHERE q.retried_as IS NOT NULL
AND NOT EXISTS (SELECT FROM record AS r WHERE r.id = q.retried_as) LIMIT 1
"""),
    text("""
SELECT 'answer owed for ' || o.record FROM owed_answer AS o
WHERE NOT EXISTS (SELECT FROM record WHERE id = o.record)
AND NOT EXISTS (SELECT FROM quarantine WHERE id = o.record) LIMIT 1
"""),
    text("""
SELECT 'note ' || n.seq || ' about ' || n.record FROM feed_note AS n
WHERE n.record <> '' AND NOT EXISTS (SELECT FROM record WHERE id = n.record)
AND NOT EXISTS (SELECT FROM quarantine WHERE id = n.record) ORDER BY n.seq LIMIT 1
"""),
    text("""
SELECT 'marker ' || e.id || ', which does not begin where one before it ended' FROM log_event AS e
WHERE e.kind = 4 AND e.begin <> (
    SELECT coalesce(max(b."end"), 0) FROM log_event AS b WHERE b.kind = 4 AND b."end" <= e.begin)
LIMIT 1
"""),
    text("""
SELECT 'stamp of checkpoint ' || s.size FROM stamp AS s
WHERE NOT EXISTS (SELECT FROM checkpoint AS c WHERE c.size = s.size) LIMIT 1
"""),
    text("""
SELECT 'resource version ' || v.type || '/' || v.id || '/' || v.version || ', out of its place'
FROM (SELECT type, id, version, place, row_number() OVER (
    PARTITION BY revision ORDER BY (type || '/' || id || '/' || version) COLLATE "C") - 1 AS due
    FROM resource_version) AS v
WHERE v.place <> v.due LIMIT 1
"""),
    text("""
SELECT 'anchor attempt ' || id || ' in no state of ours' FROM anchor_attempt
WHERE state NOT IN ('planned', 'signed', 'sent', 'mined', 'final', 'evidenced', 'replaced',
    'reorged', 'failed') ORDER BY id LIMIT 1
"""),
)


def first_stray(connection: Connection) -> str | None:
    """The first such row, in words."""
    for statement in STATEMENTS:
        found: str | None = connection.execute(statement).scalar()
        if found is not None:
            return found
    return None
