"""Traces that look like production: OTLP payload builders, one scenario a file, sent by the real endpoint."""
