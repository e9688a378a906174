"""Charts, pictures, dialogs and the line on top."""
