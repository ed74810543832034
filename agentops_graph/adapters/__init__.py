"""Vendors: one adapter each, known only to `bootstrap`."""
