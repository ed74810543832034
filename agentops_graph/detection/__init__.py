"""Arrays in, findings out: pure, vectorised rules for what counts as bad."""
