"""Text of unknown origin as text that can be shown: nothing invisible in it."""


def printable(line: str) -> str:
    """A line without what can't be shown, such as characters without width or a terminal's escape;
    every kind of space in it is a plain one."""
    return "".join(c if c.isprintable() else " " * c.isspace() for c in line)


def one_line(text: str) -> str:
    """The text on one line, each run of spaces as one. What is invisible is dropped first: left for
    later, it would stand between spaces and make long runs of them."""
    return " ".join(printable(text).split())
