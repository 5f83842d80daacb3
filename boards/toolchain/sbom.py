"""What a release is made of, as a CycloneDX 1.6 document: docs/safety/sbom.json.

No date and no serial number stand in it: the same sources make the same document.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from toolchain.debian import LIBRARIES, MICROPYTHON, RELEASE, TINYUSB
from toolchain.paths import ROOT

SBOM = ROOT / "docs" / "safety" / "sbom.json"
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"

_LICENSES = {
    MICROPYTHON.package: "MIT",
    "pico-sdk": "BSD-3-Clause",
    "mbedtls": "Apache-2.0 OR GPL-2.0-or-later",
    TINYUSB.package: "MIT",
}
_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_BY_US = "mesodrive"


def write(archives: dict[str, str]) -> None:
    """`archives` has the SHA-256 of each source archive of the image, by its file's name."""
    text = json.dumps(document(archives), indent=1, ensure_ascii=False) + "\n"
    SBOM.write_text(text, encoding="utf-8")


def document(archives: dict[str, str]) -> dict[str, Any]:
    """The document; see `write`."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": project["name"],
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": image(archives) + host(project),
    }


def image(archives: dict[str, str]) -> list[dict[str, Any]]:
    """What is linked into the image, from Debian's signed index."""
    components: list[dict[str, Any]] = []
    for part in (MICROPYTHON, *LIBRARIES, TINYUSB):
        (name,) = [file for file in archives if Path(file).match(part.archive)]
        version = re.split(r"\.orig\.|_all\.", name.partition("_")[2])[0]
        components.append(
            {
                "type": "library",
                "bom-ref": f"image/{part.package}",
                "name": part.package,
                "version": version,
                "scope": "required",
                "licenses": [{"expression": _LICENSES[part.package]}],
                "hashes": [{"alg": "SHA-256", "content": archives[name]}],
                "purl": f"pkg:deb/debian/{part.package}@{version}?distro={RELEASE}",
                "properties": [{"name": "mesodrive:part", "value": "image"}],
            }
        )
    return components


def host(project: dict[str, Any]) -> list[dict[str, Any]]:
    """What is installed on the host. The lock file has every hash; what only tests and
    simulations need is `excluded`."""
    wanted_by = _wanted_by(LOCK.read_text(encoding="utf-8"))
    needed = {_plain(name) for name in project["dependencies"]}
    while more := {
        name for name, (_, users) in wanted_by.items() if users & needed and name not in needed
    }:
        needed |= more
    return [
        {
            "type": "library",
            "bom-ref": f"host/{name}",
            "name": name,
            "version": version,
            "scope": "required" if name in needed else "excluded",
            "purl": f"pkg:pypi/{name}@{version}",
            "properties": [{"name": "mesodrive:part", "value": "host"}],
        }
        for name, (version, _) in sorted(wanted_by.items())
    ]


def _wanted_by(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Of each locked package: its version, and who needs it."""
    found: dict[str, tuple[str, set[str]]] = {}
    starts = [*_PACKAGE.finditer(lock)]
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(lock)
        comments = re.findall(r"^ +#(?: +via)?(.*)$", lock[start.end() : end], re.MULTILINE)
        users = {_plain(user) for user in comments if user.strip()}
        found[_plain(start[1])] = (start[2], users)
    return found


def _plain(name: str) -> str:
    """As PyPI spells it, without extras and remarks."""
    word = re.split(r"[\[ (<>=!~;]", name.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", word).lower()
