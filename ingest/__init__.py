"""From bytes to stored spans: decode, normalize, redact, price, store."""
