"""Measurements behind the claims; not tests, run by `make bench`."""
