"""Decisions: workflows as generators that yield effects. No I/O, no clock, no async."""
