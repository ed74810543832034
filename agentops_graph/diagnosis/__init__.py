"""Runbooks read, causes weighed, ranks fused; pure."""
