"""One node, one file, one verb."""
