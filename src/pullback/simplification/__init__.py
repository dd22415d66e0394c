"""Named rewrite rows, each with its law, applied from the leaves up until none applies."""
