"""Taking the points of a run elsewhere: a table, or an event file of TensorBoard."""
