"""Pictures of expressions and derivations: the computation graph, tensor networks, fields."""
