"""Get labelled pictures and hold them as tensors."""
