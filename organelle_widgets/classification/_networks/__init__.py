"""Torch modules of classification backends; imported only inside the functions that need them."""
