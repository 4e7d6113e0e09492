"""Files on disk: partial downloads and image formats."""
