"""Runs the evaluations that are there, and holds their figures against the accepted ones."""
