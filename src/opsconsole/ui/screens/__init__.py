"""What the console shows between its header and its key line."""
