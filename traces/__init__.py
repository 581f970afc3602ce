"""Stored spans and the traces they form: shapes, the table, every read, and the pages that show them."""
