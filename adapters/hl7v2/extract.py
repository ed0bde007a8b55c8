"""The documents that a message carries, as bytes: also those that are too large for its bundle."""

from base64 import b64decode
from collections.abc import Sequence
from typing import cast

from adapters.hl7v2.dialect import Hl7v2

__all__ = ["documents"]


def documents(
    dialect: Hl7v2, raw: bytes, *, sender: str = "", charset: str = ""
) -> Sequence[tuple[str, bytes]]:
    """Name and bytes of each, in the order of the message.

    The name is the hash by which the bundle knows it (Attachment.hash, SHA-1), in hexadecimal
    digits, and what its media type says: `2ef7bde608ce5404e97d5f042f95f89f1c232871.pdf`.

    Raises:
        BridgeError: as `Hl7v2.convert`.
    """
    made = dialect.converted(raw, sender=sender, charset=charset, tracing=True)
    found: dict[str, bytes] = {}
    for one in made.build.documents:
        digest, media, data = (cast("str", one[key]) for key in ("hash", "contentType", "data"))
        suffix = media.partition(";")[0].rpartition("/")[2]
        found[f"{b64decode(digest).hex()}.{suffix}"] = b64decode(data)
    return [*found.items()]
