"""What this machine is and does: facts, findings, and its sensors while a run lives; knows no terminal and no torch."""
