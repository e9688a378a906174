"""The machine: facts faked, findings and readings compared."""
