"""How often a command set is right: accuracy, confusions, and what it costs to be sure."""
