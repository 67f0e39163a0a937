"""What benchmarks/networks.py is made of."""
