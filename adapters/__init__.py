"""Clinical dialects: pure functions between bytes and canonical bundles."""
