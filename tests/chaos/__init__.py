"""Harnesses that break things: power cuts, kills, interrupts. `make chaos` runs them long, the tests short."""
