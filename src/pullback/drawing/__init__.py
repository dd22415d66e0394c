"""Scenes of boxes, lines and labels, and how they become SVG, or a matplotlib plot."""
