"""The version, typed once: the package's metadata and the User-Agent header read it."""

__version__ = "0.1.0"
