"""Search for a network under a budget: count all, train the promising, refine the best."""
