"""What this machine is and does: facts, findings by rules, sensors while a run lives; draws nothing, loads no torch."""
