"""How good a trained network is: accuracy, per class and in a confusion matrix; and taking it elsewhere."""
