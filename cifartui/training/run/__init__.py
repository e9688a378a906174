"""A run is a folder: what stands in it, and what it says."""
