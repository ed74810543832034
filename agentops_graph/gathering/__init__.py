"""Reads through ports and makes measurements, looks, holdouts and evidence of them."""
