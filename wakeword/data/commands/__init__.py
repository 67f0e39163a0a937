"""Command sets: the Speech Commands protocol, its clips, its archives."""
