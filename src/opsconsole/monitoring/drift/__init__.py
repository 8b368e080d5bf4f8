"""What servers have loaded, against what the definitions say: pure comparisons, and the asking."""
