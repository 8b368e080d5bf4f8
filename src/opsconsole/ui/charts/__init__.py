"""Charts as text: scales, and lines drawn in braille, blocks or ASCII. Pure functions."""
