"""Training and measuring of command sets, by the Speech Commands protocol."""
