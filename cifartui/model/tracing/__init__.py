"""Code of the user's own that makes a network: run once, its operations written down; trained like the others."""
