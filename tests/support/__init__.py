"""What several parts of the tests share: one fake clock, one scripted server, one interface to both clients."""
