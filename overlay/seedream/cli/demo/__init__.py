"""``seedream demo``: what the client does, shown in under a minute in the sandbox."""
