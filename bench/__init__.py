"""Speed, bytes and memory, measured through a terminal and asserted as ratios of floors in the same run."""
