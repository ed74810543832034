"""Log lines read, masked, grouped into templates and ranked by what is new; pure."""
