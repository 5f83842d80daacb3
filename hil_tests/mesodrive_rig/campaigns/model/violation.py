"""What the model looks for."""


class Violation(AssertionError):  # noqa: N818 (a finding about the device, no error of ours)
    """Something that must never happen has happened."""
