"""Partials of single operations, combined in reverse or forward order."""
