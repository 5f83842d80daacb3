"""The one exception that a person is meant to read."""


class MesodriveError(Exception):
    """Something a person can mend: one sentence that names the cause and the way out.

    The command line prints it as it stands and exits with `exit_code`.
    """

    exit_code = 1
