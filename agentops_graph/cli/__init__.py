"""The command line: every use case of the service, for people at a terminal and for scripts."""
