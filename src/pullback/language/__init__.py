"""The text language and the symbols of Python: what a user writes becomes a program."""
