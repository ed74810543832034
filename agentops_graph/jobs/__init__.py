"""Detached work: the process that trains or reruns, and writes its own result."""
