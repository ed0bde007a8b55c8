"""Other systems that witness the newest checkpoint: EVM chains and their contract."""
