"""The vocabulary of the console: pure values and functions, standard library only."""
