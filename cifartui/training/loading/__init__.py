"""How training images come to the network: in which order, in batches, changed by augmentation."""
