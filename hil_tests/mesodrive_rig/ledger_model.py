"""The ledger's requests answered by the firmware's own ledger on a flash in memory, for tests of
the host. Runs where the firmware's modules are on the path."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from mesodrive.ledger.told import LedgerHead

_PAGE = 12  # records an answer


class _Flash:
    page = 256
    sector = 4096

    def __init__(self, sectors: int):
        self.size = sectors * self.sector
        self.data = bytearray(b"\xff" * self.size)

    def read(self, address: int, buffer: bytearray) -> None:
        buffer[:] = self.data[address : address + len(buffer)]

    def program(self, address: int, data: bytes) -> None:
        for place, byte in enumerate(data, address):
            self.data[place] &= byte

    def erase(self, address: int) -> None:
        self.data[address : address + self.sector] = b"\xff" * self.sector


class LedgerModel:
    """A device as far as its ledger goes; `ledger` is the firmware's. It is a `Source` of
    mesodrive.ledger.fetch, and `answer` is the same on the wire."""

    def __init__(self, seed: bytes = b"seed", sectors: int = 8):
        self.record: Any = import_module("injector.ledger.record")
        self.asked: list[str] = []
        self._kind: Any = import_module("injector.ledger").Ledger
        self._flash = _Flash(sectors)
        self.ms = 0
        self.ledger: Any = self._kind.create(self._flash, self._uptime_ms, seed)
        self._commands = 0

    def boot(self) -> None:
        """A reset: what was announced and has no outcome is in doubt from here on."""
        self.ms = 0
        self.ledger = self._kind.open(self._flash, self._uptime_ms)
        self._append(self.record.BOOT, cause=1, image=0xABCD)

    def load(self, profile: int, shots: int = 20, dose_nl: int = 10_000) -> int:
        """A profile is loaded; the number of its record."""
        values = dict[str, Any](
            profile=profile, mode=b"series", shots=shots, dose_nl=dose_nl, depth_um=3000
        )
        names = [name for name, _ in self.record.SCHEMA[self.record.PROFILE][1]]
        return self._append(self.record.PROFILE, **{name: values.get(name, 0) for name in names})

    def prime(self, volume_nl: int = 41_000) -> None:
        self.end(self.announce(0, volume_nl), 0, volume_nl)

    def announce(self, strikes: int, dose_nl: int = 10_000) -> int:
        """A pull begins; its number."""
        self._ready()
        self._commands += 1
        return self.ledger.intend(self._commands, strikes, dose_nl)

    def end(self, number: int, strikes: int, given_nl: int) -> None:
        """The pull is over."""
        self._ready()
        self.ledger.outcome(number, strikes, given_nl, b"done")

    def pull(self, strikes: int, dose_nl: int = 10_000, given_nl: int | None = None) -> int:
        """A pull from its beginning to its end."""
        number = self.announce(strikes, dose_nl)
        self.end(number, strikes, strikes * dose_nl if given_nl is None else given_nl)
        return number

    def work(self, records: int) -> None:
        """So many records about nothing in particular."""
        for n in range(records):
            self._append(self.record.CHANGE, what=b"limit", was=n, becomes=n + 1)

    def ledger_head(self) -> LedgerHead:
        return LedgerHead.model_validate(self.answer("ledger.head", {}))

    def ledger_records(self, first: int) -> list[bytes]:
        return [
            bytes.fromhex(row) for row in self.answer("ledger.records", {"first": first})["rows"]
        ]

    def countersign(self, sequence: int, mac: bytes, key: int) -> None:
        self.answer("ledger.countersign", {"sequence": sequence, "mac": mac.hex(), "key": key})

    def all(self) -> list[bytes]:
        return list(self.ledger.records())

    @property
    def in_doubt(self) -> list[Sequence[int]]:
        """As in `status`."""
        return [list(dose) for dose in self.ledger.uncertain]

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request, as on the wire."""
        self.asked.append(method)
        ledger, totals = self.ledger, self.ledger.totals
        if method == "ledger.head":
            uncertain = [dose[0] for dose in ledger.uncertain]
            kept = next(iter(ledger.records()), None)
            sequence, chain = ledger.head
            return {
                "sequence": sequence,
                "chain": chain.hex(),
                "first": self.record.sequence_of(kept) if kept else sequence + 1,
                "room": ledger.room,
                "boot": totals.boots,
                "damage": [list(note) for note in ledger.damage],
                "pending": [[*dose, int(dose[0] not in uncertain)] for dose in ledger.pending],
                "totals": {
                    **{name: getattr(totals, name) for name in _TOTALS},
                    "hour_nl": ledger.hour_nl,
                },
                "cartridges": [cartridge.hex() for cartridge in totals.cartridges],
            }
        if method == "ledger.records":
            rows: list[str] = []
            for raw in ledger.records(params["first"]):
                if self.record.sequence_of(raw) >= params["first"]:
                    rows.append(raw.hex())
                if len(rows) == _PAGE:
                    break
            return {"rows": rows}
        if method == "ledger.countersign":
            mac = bytes.fromhex(params["mac"])
            values = {"sequence": params["sequence"], "mac": mac, "key": params["key"]}
            return {"sequence": self._append(self.record.COUNTERSIGNED, **values)}
        assert method == "dose.resolve", method
        self._ready()
        ledger.resolve(params["number"], params["strikes"], params["given_nl"], b"person")
        return {"number": params["number"]}

    def _append(self, kind: int, **values: object) -> int:
        self._ready()
        return self.ledger.append(kind, **values)

    def _ready(self) -> None:
        self.ms += 10
        while not self.ledger.prepare(8):
            pass

    def _uptime_ms(self) -> int:
        return self.ms


_TOTALS = (
    *("strikes", "delivered_nl", "primed_nl", "uncertain_strikes", "uncertain_nl"),
    *("session_strikes", "session_nl", "left_nl", "boots", "faults", "on_ms"),
)
