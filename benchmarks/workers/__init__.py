"""One module for each client that is measured, run as a process in an environment of its own."""
