"""Text that an index, a header and a log line can hold, made of whatever a stranger sent."""

__all__ = ["MAX_CHARS", "plain"]

MAX_CHARS = 500
"""PostgreSQL's index rows hold 2,704 bytes; 500 characters of 4 bytes fit beside other columns."""


def plain(value: str) -> str:
    """The text without NUL and lone surrogates, cut to `MAX_CHARS`; the same for the same text.

    Ordinary text comes back as it is. The exact bytes stay in the record's source.
    """
    if len(value) <= MAX_CHARS and value.isascii() and "\0" not in value:
        return value
    whole = value[:MAX_CHARS].encode("utf-8", "replace").decode()
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}")
