"""Differentiation and simplification in turn, to any order; and a program over a batch."""
