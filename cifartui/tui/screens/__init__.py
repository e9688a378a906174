"""One screen a noun: dataset, model, training, evaluation."""
