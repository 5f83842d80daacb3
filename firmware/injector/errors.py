"""What the firmware says no with."""


class Refusal(Exception):
    """A request that is not carried out: wire error code, one sentence, figures."""

    def __init__(self, code: int, sentence: str, data: "dict[str, object] | None" = None):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.data = data


class Trouble(Exception):
    """A fault of the machine: alarm code (see alarms.py) and one sentence."""

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
