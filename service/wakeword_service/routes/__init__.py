"""The REST interface, a module for each resource; each has its ``router``."""
