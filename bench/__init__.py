"""Measures a running installation: ingest against its floor, and reading with a million spans stored."""
