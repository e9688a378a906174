"""Recipes, the training loop and its events, runs as folders, and the process that carries a run."""
