"""The pictures that the sandbox delivers."""
