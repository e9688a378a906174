"""Train an image classifier on CIFAR-10 in a terminal, with your eyes open."""

__version__ = "0.1.0"
