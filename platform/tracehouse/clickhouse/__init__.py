"""The one door to ClickHouse: the client, reads bound to a scope, inserts, and migrations."""
