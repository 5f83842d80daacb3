"""A number with its unit, its clinical range and its source, and the limits of each kind."""

from dataclasses import dataclass
from typing import cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError


def sentence_error(sentence: str) -> PydanticCustomError:
    """Return an error whose text reads on after the name of the key it is raised for."""
    return PydanticCustomError("sentence", "{sentence}", {"sentence": sentence})


class Quantity(BaseModel):
    """One number of a file. `range` is what the source recommends, not what the device can do."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    value: float
    unit: str
    range: tuple[float, float] | None = None
    source: str = Field(min_length=1)

    @field_validator("range", mode="before")
    @classmethod
    def _tuple_of_toml_array(cls, value: object) -> object:
        return tuple(cast("list[object]", value)) if isinstance(value, list) else value

    @field_validator("unit")
    @classmethod
    def _one_micro_sign(cls, unit: str) -> str:
        """Take the Greek mu and `u` for the micro sign: keyboards differ, the meaning does not."""
        unit = unit.replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
        return unit.replace("uL", "\N{MICRO SIGN}L")

    @property
    def text(self) -> str:
        """The number as a person reads it, for instance `10 µL`."""
        return f"{self.value:g} {self.unit}"

    def holds(self, value: float) -> bool:
        """Return whether `value` lies within the recommended range; without one, any does."""
        return self.range is None or self.range[0] <= value <= self.range[1]


@dataclass(frozen=True)
class Kind:
    """What any quantity of one name must be: its unit, and the least and most it may have."""

    unit: str
    least: float
    most: float
    whole: bool = False

    def complaint(self, value: float) -> str | None:
        """Return why `value` cannot be, to be read on after its name, or None."""
        if not self.least <= value <= self.most:
            return (
                f"is {value:g} {self.unit} but must lie from {self.least:g} to {self.most:g} "
                f"{self.unit}; change the value."
            )
        if self.whole and value != int(value):
            return f"is {value:g} but must be a whole number; round it."
        return None

    def validator(self) -> AfterValidator:
        """Return the pydantic check of a `Quantity` of this kind."""
        return AfterValidator(self._checked)

    def _checked(self, quantity: Quantity) -> Quantity:
        if quantity.unit != self.unit:
            raise sentence_error(
                f"is in '{quantity.unit}' but must be in '{self.unit}'; "
                "convert the number and change the unit."
            )
        if quantity.range is not None and quantity.range[0] > quantity.range[1]:
            raise sentence_error("has a range that runs backwards; put the lesser number first.")
        complaint = self.complaint(quantity.value)
        if complaint is None and not quantity.holds(quantity.value):
            complaint = (
                f"is {quantity.text}, outside its own range; change the value, or the range and "
                "its source."
            )
        if complaint is not None:
            raise sentence_error(complaint)
        return quantity
