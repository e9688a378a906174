"""How the sketches are drawn: figures before backgrounds."""
