"""Networks as data: layers, the arithmetic of their shapes, and the torch module built from them."""
