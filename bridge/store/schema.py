"""Every table, once. Rows are only ever inserted but for queues, heads and the search index.

Times are `timestamptz`; digests, salts and canonical bytes are `bytea`; nothing is stored as jsonb
that is hashed, because PostgreSQL rewrites numbers and key order.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)

__all__ = ["metadata"]

metadata = MetaData()


def _moment(name: str, *, nullable: bool = False) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _counted_code() -> tuple["Column[Any]", ...]:
    """A code that no table has, as it is noted and as it is listed."""
    return (
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("sender", Text, nullable=False),
        Column("field", Text, nullable=False),
        Column("system", Text, nullable=False),
        Column("code", Text, nullable=False),
        Column("times", BigInteger, nullable=False),
        Column("first", Text, nullable=False),
        Column("last", Text, nullable=False),
        _moment("since"),
        _moment("seen"),
    )


record = Table(
    "record",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("feed", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("pinned", Text, nullable=False),
    Column("charset", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("control_id", Text, nullable=False),
    Column("resend_key", LargeBinary, unique=True),
    _moment("received"),
    Column("source", LargeBinary, nullable=False),
    Column("source_digest", LargeBinary, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
    Column("bundle_digest", LargeBinary, nullable=False),
    Column("mapping", LargeBinary, nullable=False),
    Column("apply", Text, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("salts", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Index("record_by_control", "control_id", "seq"),
    Index("record_by_sender", "sender", "seq"),
    Index("record_by_time", "received"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("pinned", Text, nullable=False),
    Column("charset", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("control_id", Text, nullable=False),
    _moment("received"),
    Column("source", LargeBinary, nullable=False),
    Column("code", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("resend_key", LargeBinary, unique=True),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("state", Text, nullable=False, server_default="open"),
    Column("retried_as", Text),
    Column("request", Text, nullable=False, server_default="{}"),
    Column("dismissed_because", Text, nullable=False, server_default=""),
    Index("quarantine_by_time", "received"),
)

lane_queue = Table(
    "lane_queue",
    metadata,
    Column("seq", BigInteger, primary_key=True),
    Column("lane", Text, primary_key=True),
    Index("lane_queue_by_lane", "lane", "seq"),
)

lane_stalled = Table(
    "lane_stalled",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _moment("since"),
)

feed_tally = Table(
    "feed_tally",
    metadata,
    Column("feed", Text, primary_key=True),
    _moment("at"),
    Column("counts", Text, nullable=False),
)

revision = Table(
    "revision",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("record_seq", BigInteger, nullable=False, unique=True),
    _moment("at"),
    Column("header", LargeBinary, nullable=False),
    Column("salts", LargeBinary, nullable=False),
    Column("resources_root", LargeBinary, nullable=False),
)

resource = Table(
    "resource",
    metadata,
    Column("type", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default="false"),
    _moment("updated", nullable=True),
    Column("indexed_by", Text, nullable=False, server_default=""),
    Index("resource_by_update", "type", "updated", "id"),
)

resource_version = Table(
    "resource_version",
    metadata,
    Column("type", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("revision", Text, nullable=False),
    Column("place", Integer, nullable=False),
    _moment("at"),
    Column("deleted", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Index("resource_version_by_revision", "revision", "place"),
)

index_token = Table(
    "index_token",
    metadata,
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("param", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index("index_token_find", "type", "param", "value", "system", "id"),
    Index("index_token_owner", "type", "id"),
)

index_text = Table(
    "index_text",
    metadata,
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("param", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("exact", Text, nullable=False),
    Index(
        "index_text_find",
        "type",
        "param",
        "value",
        "id",
        postgresql_ops={"value": "text_pattern_ops"},
    ),
    Index("index_text_owner", "type", "id"),
)

index_date = Table(
    "index_date",
    metadata,
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("param", Text, nullable=False),
    _moment("low"),
    _moment("high"),
    Index("index_date_find", "type", "param", "low", "high", "id"),
    Index("index_date_owner", "type", "id"),
)

index_reference = Table(
    "index_reference",
    metadata,
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("param", Text, nullable=False),
    Column("target_base", Text, nullable=False, server_default=""),
    Column("target_type", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Index(
        *("index_reference_find", "target_id", "type", "param", "target_type", "target_base", "id")
    ),
    Index("index_reference_owner", "type", "id"),
)

index_quantity = Table(
    "index_quantity",
    metadata,
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("param", Text, nullable=False),
    Column("value", Numeric, nullable=False),
    Column("system", Text, nullable=False),
    Column("code", Text, nullable=False),
    Index("index_quantity_find", "type", "param", "value", "id"),
    Index("index_quantity_owner", "type", "id"),
)

leaf_queue = Table(
    "leaf_queue",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

leaf = Table(
    "leaf",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("leaf_by_subject", "subject"),
)

tile = Table(
    "tile",
    metadata,
    Column("level", SmallInteger, primary_key=True),
    Column("n", BigInteger, primary_key=True),
    Column("width", SmallInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

head = Table(
    "head",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
    _moment("at"),
)

log_event = Table(
    "log_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("begin", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    _moment("at"),
    Column("body", LargeBinary, nullable=False),
    Column("control", LargeBinary),
    Column("salts", LargeBinary, nullable=False),
    Index("log_event_once", "kind", "name", "begin", unique=True),
    Index("log_event_by_end", "kind", "end"),
)

stamp = Table(
    "stamp",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    _moment("at"),
    Index("stamp_pending", "kind", "size", postgresql_where=text("state = 'pending'")),
    Index("stamp_complete", "kind", "size", postgresql_where=text("state = 'complete'")),
)

feed_note = Table(
    "feed_note",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    _moment("at"),
    Column("feed", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

sender_sequence = Table(
    "sender_sequence",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("last", BigInteger),
)

owed_answer = Table(
    "owed_answer",
    metadata,
    Column("record", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    _moment("owed"),
    _moment("due"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Index("owed_answer_due", "due"),
)

mapping = Table(
    "mapping",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

unmapped_code = Table("unmapped_code", metadata, *_counted_code())

work_item = Table(
    "work_item",
    metadata,
    *_counted_code(),
    Column("state", Text, nullable=False, server_default="open"),
    Column("reason", Text, nullable=False, server_default=""),
    Index("work_item_once", "sender", "field", "system", "code", unique=True),
    Index("work_item_open", "state", "times"),
)

access = Table(
    "access",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _moment("at"),
    Column("event", LargeBinary, nullable=False),
    Column("salts", LargeBinary, nullable=False),
)

anchor_attempt = Table(
    "anchor_attempt",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),
    Column("prev_root", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("max_fee_wei", Numeric, nullable=False),
    Column("tip_wei", Numeric, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("settled", Boolean, nullable=False),
    _moment("planned"),
    Column("tx_hash", LargeBinary, unique=True),
    Column("raw", LargeBinary),
    _moment("sent", nullable=True),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary),
    _moment("block_time", nullable=True),
    Column("anchored_prev_root", LargeBinary),
    Column("anchored_size", BigInteger),
    Column("anchored_root", LargeBinary),
    Column("gas_used", BigInteger),
    Column("cost_wei", Numeric),
    Column("evidence", LargeBinary),
    Column("reason", Text, nullable=False),
    Index("anchor_attempt_slot", "chain", "account", "nonce", "round", unique=True),
    Index("anchor_attempt_open", "chain", "account", postgresql_where=text("NOT settled")),
    Index(
        "anchor_attempt_evidenced",
        "chain",
        "contract",
        "size",
        postgresql_where=text("state = 'evidenced'"),
    ),
    Index(
        "anchor_attempt_newest",
        "chain",
        "account",
        "block_number",
        "id",
        postgresql_where=text("state = 'evidenced'"),
    ),
    Index(
        "anchor_attempt_standing",
        "size",
        "id",
        postgresql_where=text("state IN ('mined', 'final', 'evidenced')"),
    ),
)

access_patient = Table(
    "access_patient",
    metadata,
    Column("patient", Text, primary_key=True),
    Column("access", BigInteger, primary_key=True),
)
