"""OTLP bytes to records. Knows the wire, not what attributes mean."""
