"""pytest plugin: the requirements that a test names go with it into the JUnit report.

`@pytest.mark.requirement("R7")` becomes the properties that pytest's own `record_property` would
have made, so any tool that reads JUnit sees them: `requirement`, once for each, and `test`, the
node id, which the report holds nowhere else.

PYTEST_DONT_REWRITE: `make trace` imports this before pytest does.
"""

import pytest

REQUIREMENT = "requirement"
TEST = "test"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Raises pytest.UsageError for a marker that names nothing."""
    names: dict[str, None] = {}  # in their order, each once
    for mark in item.iter_markers(REQUIREMENT):
        if not mark.args or mark.kwargs or not all(isinstance(name, str) for name in mark.args):
            raise pytest.UsageError(
                f'{item.nodeid}: write the marker as @pytest.mark.requirement("R7").'
            )
        names.update(dict.fromkeys(mark.args))
    if names:
        item.user_properties.append((TEST, item.nodeid))
        item.user_properties.extend((REQUIREMENT, name) for name in names)


def requirements_of(item: pytest.Item) -> list[str]:
    """The requirements that a collected test names, in their order."""
    return [str(value) for name, value in item.user_properties if name == REQUIREMENT]
