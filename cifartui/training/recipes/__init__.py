"""Recipes: everything that decides how a network is trained, as checked TOML; those that come along lie beside."""
