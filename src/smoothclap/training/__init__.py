"""Training: recipe, loop and checkpoints."""
