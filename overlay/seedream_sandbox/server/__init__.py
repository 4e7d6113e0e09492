"""How requests reach the service: over sockets, or in process as a transport of httpx."""
