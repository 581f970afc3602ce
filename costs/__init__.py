"""What a call costs: the price that holds for a model at a time, and usage sums."""
