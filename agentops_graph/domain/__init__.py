"""Frozen records and the pure rules over them."""
