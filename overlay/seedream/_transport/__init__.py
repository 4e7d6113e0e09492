"""The only network I/O: carries out effects with httpx."""
