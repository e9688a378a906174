"""Real pixels on terminals that draw them: which protocol one speaks, and what is sent to it."""
