"""The one kind of failure that a person is told about without a traceback."""


class ToolchainError(Exception):
    """One sentence that names the cause and the way out."""
