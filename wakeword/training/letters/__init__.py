"""Training of the network that reads letters, on transcribed speech: what alignment stands on."""
