"""Bugs in what host and device say to each other, and in who may set something going."""

from mesodrive_rig.campaigns.seeded import Bug

_CLIENT = "mesodrive.link.client:Client."

BUGS = {
    "an id that was used is obeyed": Bug(
        "runs twice", ("injector.link:Link._run_once", "if ahead <= 0:", "if False:")
    ),
    "answers are not kept for a repeat": Bug(
        "was carried out and is told as refused",
        ("injector.link:Link._run_once", "self._answers.append(entry)", "pass"),
    ),
    "ids that pushed liquid do not outlive a reset": Bug(
        "a reset makes an id good again",
        (
            "injector.machine:Machine._open_ledger",
            "max(self.link.last_id, self.journal.last_command)",
            "self.link.last_id",
        ),
    ),
    "the checksum of a line is not looked at": Bug(
        "is obeyed though no host sent this line",
        ("mesodrive_wire.framing:decode", "if digits !=", "if False and digits !="),
    ),
    "params are those of the request before": Bug(
        "is obeyed for",
        (
            "injector.link:Link._run_once",
            "handler(params, answer)",
            "handler(([params] + [e[2] for e in self._answers if e[1] == method])[-2], answer)",
        ),
    ),
    "a request crashes": Bug(
        "crashes with",
        (
            "injector.commands:Commands.status",
            "delivery.done if delivery else 0",
            "delivery.done",
        ),
    ),
    "the axes home without a profile": Bug(
        "the firmware ends with",
        ("injector.commands:Commands.home", "if not self._control.delivery:", "if False:"),
    ),
    "an answer is not as the host expects": Bug(
        "is answered with",
        ("injector.commands:Commands.status", '"homed": homed', '"homed": int(homed)'),
    ),
    "nobody need log in": Bug(
        "was given before the reset and runs after it",
        ("injector.access:Access.want", "self.role == SERVICE", "True"),
    ),
    "what a host repeats after a reset is obeyed": Bug(
        "runs again, in boots",
        ("injector.access:Access.want", "self.role == SERVICE", "True"),
        ("injector.commands:Commands.home", "if not self._control.delivery:", "if False:"),
    ),
    "the host asks again under a new id": Bug(
        "has run and is given again under another id",
        (
            f"{_CLIENT}_call_once",
            "self._send(line)",
            "id, line = self._send_request(method, params); self._waiting_for = id",
        ),
    ),
    "the host asks again after its id outlived a reset": Bug(
        "has run and is given again under another id",
        (f"{_CLIENT}call", "self._repeated or last_id == self._next_id - 1", "False"),
    ),
    "the host takes any answer for its own": Bug(
        "was not carried out and is told as done",
        (f"{_CLIENT}_dispatch", "if id == self._waiting_for", "if id is not None"),
    ),
}
