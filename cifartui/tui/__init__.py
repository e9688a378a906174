"""Front end 2: the screens, in Textual. Nothing here imports torch."""
