"""How each array library spells the instructions of a linear program."""
