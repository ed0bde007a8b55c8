# pragma version 0.4.3
"""
@title CheckpointAnchor
@license Apache-2.0
@notice Keeps the newest (size, root) of append-only logs, and an event for each one ever set.
@dev Immutable: no proxy, no owner of the contract, no self-destruct, no value. A log is owned by
     whoever registered it and written by its anchorer alone. An anchor overwrites two storage
     slots; older heads live in events, which receipts carry with their proof.
     Trees are those of RFC 6962 s2.1 over SHA-256.
"""

struct Log:
    owner: address
    pendingOwner: address
    originHash: bytes32
    keyHash: bytes32
    successor: address
    successorLogId: bytes32

struct Head:
    root: bytes32
    size: uint64
    sequence: uint64
    blockNumber: uint64
    time: uint64

event Registered:
    logId: indexed(bytes32)
    owner: indexed(address)
    originHash: bytes32
    keyHash: bytes32
    anchorer: address

event Anchored:
    logId: indexed(bytes32)
    sequence: indexed(uint64)
    size: uint64
    root: bytes32
    prevRoot: bytes32

event AnchorerSet:
    logId: indexed(bytes32)
    anchorer: address

event OwnerProposed:
    logId: indexed(bytes32)
    owner: address

event OwnerAccepted:
    logId: indexed(bytes32)
    owner: address

event KeyChanged:
    logId: indexed(bytes32)
    keyHash: bytes32
    size: uint64

event Retired:
    logId: indexed(bytes32)
    successor: indexed(address)
    successorLogId: bytes32
    size: uint64
    root: bytes32

# 64 hashes prove a leaf of any tree whose size fits 64 bits.
MAX_PATH: constant(uint256) = 64
# A fhir-anchor leaf is 52 bytes; the rest is room for a later form.
MAX_LEAF: constant(uint256) = 1024

logs: HashMap[bytes32, Log]
anchorers: HashMap[bytes32, address]
roots: HashMap[bytes32, bytes32]
# size << 192 | sequence << 128 | block << 64 | time
positions: HashMap[bytes32, uint256]


@external
def register(logId: bytes32, originHash: bytes32, keyHash: bytes32, anchorer: address):
    """
    @notice Make the caller the owner of a new, empty log. An id is taken once and for ever.
    @param logId A random id. Taking one that was seen in the mempool only costs its author
        another random id: an owner is checked before anything is anchored.
    @param originHash SHA-256 of the checkpoint's origin line.
    @param keyHash SHA-256 of the log's verifier key text.
    @param anchorer The only account whose anchors count; zero for none yet.
    """
    assert logId != empty(bytes32), "logId is zero"
    assert self.logs[logId].owner == empty(address), "logId is taken"
    self.logs[logId].owner = msg.sender
    self.logs[logId].originHash = originHash
    self.logs[logId].keyHash = keyHash
    self.anchorers[logId] = anchorer
    log Registered(
        logId=logId, owner=msg.sender, originHash=originHash, keyHash=keyHash, anchorer=anchorer
    )


@external
def anchor(logId: bytes32, prevRoot: bytes32, size: uint64, root: bytes32):
    """
    @notice Replace the head (compare and swap).
    @param prevRoot The root stored now; zero for the first head. A fork or a rolled back log
        does not know it or cannot grow from it.
    @param size Leaves under the new head; must be larger than the stored size.
    @param root RFC 6962 root over the first `size` leaves; never zero.
    """
    assert msg.sender == self.anchorers[logId], "not the anchorer"
    assert prevRoot == self.roots[logId], "prevRoot is not the head"
    position: uint256 = self.positions[logId]
    assert convert(size, uint256) > position >> 192, "size must grow"
    assert root != empty(bytes32), "root is zero"
    sequence: uint64 = convert((position >> 128) & convert(max_value(uint64), uint256), uint64) + 1
    self.roots[logId] = root
    self.positions[logId] = (
        (convert(size, uint256) << 192)
        | (convert(sequence, uint256) << 128)
        | (block.number << 64)
        | block.timestamp
    )
    log Anchored(logId=logId, sequence=sequence, size=size, root=root, prevRoot=prevRoot)


@external
@view
def head(logId: bytes32) -> Head:
    """
    @notice The newest head; all zero when the log has none.
    """
    return self._head(logId)


@external
@view
def registration(logId: bytes32) -> (Log, address):
    """
    @notice Who owns the log, what it claims to be, where it went, and its anchorer.
    """
    return self.logs[logId], self.anchorers[logId]


@external
@view
def verifyInclusion(
    logId: bytes32, leaf: Bytes[MAX_LEAF], index: uint64, path: DynArray[bytes32, MAX_PATH]
) -> uint64:
    """
    @notice Prove a leaf under the current head (RFC 9162 s2.1.3.2), or revert with the reason.
    @dev Takes the leaf and never its hash, so that an inner node cannot pass as a leaf. Exact
        path length: a path fits one (index, size) shape only. Reverts instead of returning
        false because a caller cannot overlook a revert.
    @return The size of the head it was proved under; never zero, so that an address without
        code cannot be taken for a proof.
    """
    current: Head = self._head(logId)
    assert index < current.size, "index is not below size"
    fn: uint256 = convert(index, uint256)
    sn: uint256 = convert(current.size, uint256) - 1
    r: bytes32 = sha256(concat(x"00", leaf))
    for p: bytes32 in path:
        assert sn != 0, "path is too long"
        if fn & 1 == 1 or fn == sn:
            r = sha256(concat(x"01", p, r))
            for _: uint256 in range(MAX_PATH):
                if fn & 1 == 1 or fn == 0:
                    break
                fn = fn >> 1
                sn = sn >> 1
        else:
            r = sha256(concat(x"01", r, p))
        fn = fn >> 1
        sn = sn >> 1
    assert sn == 0, "path is too short"
    assert r == current.root, "root differs"
    return current.size


@external
def setAnchorer(logId: bytes32, anchorer: address):
    """
    @notice Name the account that anchors; zero stops anchoring, for a stolen key.
    """
    self._only_owner(logId)
    self._only_active(logId)
    self.anchorers[logId] = anchorer
    log AnchorerSet(logId=logId, anchorer=anchorer)


@external
def proposeOwner(logId: bytes32, owner: address):
    """
    @notice Offer the log to another owner, who must accept; zero withdraws the offer.
    """
    self._only_owner(logId)
    self.logs[logId].pendingOwner = owner
    log OwnerProposed(logId=logId, owner=owner)


@external
def acceptOwner(logId: bytes32):
    """
    @notice Take a log that was offered to the caller.
    """
    assert msg.sender == self.logs[logId].pendingOwner, "not the proposed owner"
    self.logs[logId].owner = msg.sender
    self.logs[logId].pendingOwner = empty(address)
    log OwnerAccepted(logId=logId, owner=msg.sender)


@external
def changeKey(logId: bytes32, keyHash: bytes32):
    """
    @notice Say that checkpoints after the present head are signed by another key.
    """
    self._only_owner(logId)
    self._only_active(logId)
    self.logs[logId].keyHash = keyHash
    log KeyChanged(
        logId=logId, keyHash=keyHash, size=convert(self.positions[logId] >> 192, uint64)
    )


@external
def retire(logId: bytes32, successor: address, successorLogId: bytes32):
    """
    @notice Close the log for ever and name the contract and log that go on from its last head.
    """
    self._only_owner(logId)
    self._only_active(logId)
    assert successor != empty(address), "successor is zero"
    self.logs[logId].successor = successor
    self.logs[logId].successorLogId = successorLogId
    self.anchorers[logId] = empty(address)
    log Retired(
        logId=logId,
        successor=successor,
        successorLogId=successorLogId,
        size=convert(self.positions[logId] >> 192, uint64),
        root=self.roots[logId],
    )


@internal
@view
def _head(logId: bytes32) -> Head:
    mask: uint256 = convert(max_value(uint64), uint256)
    position: uint256 = self.positions[logId]
    return Head(
        root=self.roots[logId],
        size=convert(position >> 192, uint64),
        sequence=convert((position >> 128) & mask, uint64),
        blockNumber=convert((position >> 64) & mask, uint64),
        time=convert(position & mask, uint64),
    )


@internal
@view
def _only_owner(logId: bytes32):
    assert msg.sender == self.logs[logId].owner, "not the owner"


@internal
@view
def _only_active(logId: bytes32):
    assert self.logs[logId].successor == empty(address), "log is retired"
