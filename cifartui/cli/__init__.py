"""Front end 1: commands, plain text and JSON."""
