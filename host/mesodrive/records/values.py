"""Kinds of values that the records hold."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt

MAX_WHOLE = (1 << 53) - 1  # the largest whole number that JSON and a float both keep exactly

Count = Annotated[StrictInt, Field(ge=0, le=MAX_WHOLE)]
Whole = Annotated[StrictInt, Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
Amount = Annotated[float, Field(ge=0)]
JsonObject = dict[str, JsonValue]


class Frozen(BaseModel):
    """A value that does not change and has no other fields than its own."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True
    )
