"""What every page shares: the shell, the time range, how numbers look, and response headers."""
