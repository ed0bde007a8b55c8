"""Receipts and their verification, offline and trusting nobody."""
