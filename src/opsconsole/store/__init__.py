"""The journal: append-only, chained by hash."""
