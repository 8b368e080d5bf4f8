"""What asks the operator something."""
