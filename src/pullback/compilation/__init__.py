"""From expressions to array code: lowering, planning, and the spelling of each target."""
