"""How a record's bundle stands in its column: deflated by us, for PostgreSQL takes longer.

PostgreSQL's own compression of a bundle of 20 kB takes some 200 µs, more than all else that it does
for a message; deflate at its fastest takes 50, leaves two thirds of that, and less goes over the
line. Nothing is sealed but the canonical bytes; see docs/adr/0027.
"""

import zlib

__all__ = ["PACKED_BYTES", "pack", "unpack"]

PACKED_BYTES = 128 * 1024
"""Longer bundles stand as they are. What is packed may unpack to a thousand times its size, and
those who read many rows bound them by the size of the columns: so 200 of a batch make 25 MiB."""
FASTEST = 1


def pack(canonical: bytes) -> bytes:
    """What is kept of canonical bytes; `unpack` is its inverse."""
    return canonical if len(canonical) > PACKED_BYTES else zlib.compress(canonical, FASTEST)


def unpack(kept: bytes) -> bytes:
    """The canonical bytes. What `pack` did not make is given back as it is.

    Canonical bytes begin with a brace, which no deflated stream does; and what was changed in the
    database is for their digest to say.
    """
    stream = zlib.decompressobj()
    try:
        canonical = stream.decompress(kept, PACKED_BYTES + 1)
    except zlib.error:
        return bytes(kept)
    whole = stream.eof and not stream.unused_data and len(canonical) <= PACKED_BYTES
    return canonical if whole else bytes(kept)
