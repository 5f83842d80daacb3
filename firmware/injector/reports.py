"""The last strike reports, for a host that missed their notifications."""

_KEPT = 32
_AT_ONCE = 4  # as many as fit a line


class Reports:
    """A short memory of what was told about strikes."""

    def __init__(self):
        self._kept = []

    def add(self, report: "dict[str, object]") -> None:
        """Keep `report`, and forget the oldest beyond 32."""
        self._kept.append(report)
        if len(self._kept) > _KEPT:
            self._kept.pop(0)

    def clear(self) -> None:
        """Forget all, as when a new profile starts its numbers afresh."""
        self._kept.clear()

    def first(self, number: int) -> "list[dict[str, object]]":
        """At most four reports, from strike `number` on."""
        return [report for report in self._kept if report["shot"] >= number][:_AT_ONCE]
