"""What was promised: objectives, how much of them was kept, and what is left of their budgets."""
