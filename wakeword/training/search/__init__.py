"""Search for a network under a budget: count all candidates, keep what fits."""
