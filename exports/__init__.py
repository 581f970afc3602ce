"""Traces of a list as a file: JSON lines, CSV or Parquet, streamed. It stands on every other app and has no table."""
