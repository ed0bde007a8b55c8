"""One growing Merkle log: tree, tiles, signed checkpoints."""
