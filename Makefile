# Every result lies under build/. The work is done by boards/toolchain, which needs Python alone.
PYTHON ?= python3
BOARD ?= pico

PY := build/venv/bin/python
TOOLCHAIN := PYTHONPATH=boards $(PYTHON) -m toolchain

.DEFAULT_GOAL := help
.PHONY: help venv emulator mpy-cross unix-port firmware demo test lint bench bench-session bench-motion powercuts fuzz limits model mutation faults soak trace flash console lock sbom clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'

venv: ## build/venv with the locked Python packages and mesodrive itself
	@$(TOOLCHAIN) venv

emulator: ## the emulated chip, compiled for this Python: many times as fast
	@$(TOOLCHAIN) emulator

mpy-cross: ## MicroPython's cross compiler: build/toolchain/bin/mpy-cross
	@$(TOOLCHAIN) mpy-cross

unix-port: ## MicroPython for this machine: build/toolchain/bin/micropython
	@$(TOOLCHAIN) unix-port

firmware: ## the image of a board (BOARD=pico): build/firmware/pico/mesodrive-pico.uf2
	@$(TOOLCHAIN) firmware --board $(BOARD)

demo: emulator firmware ## two treatment sessions on the emulated injector, with report
	@build/venv/bin/mesodrive demo

test: lint emulator firmware unix-port ## everything that must hold; results in build/test-results.xml
	$(PY) -m pytest -n 2 --dist loadscope --no-loadscope-reorder --junitxml build/test-results.xml

lint: venv ## style and types, the firmware's against the board's own stubs
	@$(TOOLCHAIN) typings --board $(BOARD)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m basedpyright
	$(PY) -m basedpyright --project boards/$(BOARD)/pyrightconfig.json

bench: bench-session bench-motion ## all benchmarks; results in build/bench

bench-session: emulator firmware ## boot, round trip, memory and speed of the emulated session
	$(PY) -m mesodrive_rig.bench.session

bench-motion: emulator firmware ## steps and strikes at the pins, against bounds and usual drivers
	$(PY) -m mesodrive_rig.bench.motion

powercuts: emulator firmware ## power cuts at every instant of the ledger: build/powercuts.json
	$(PY) -m mesodrive_rig.campaigns.powercuts

fuzz: venv unix-port ## ten million broken and hostile frames: build/fuzz.json
	$(PY) -m mesodrive_rig.campaigns.fuzz

model: venv ## hosts, cable and device in any order of events: build/model.json
	$(PY) -m mesodrive_rig.campaigns.model

limits: venv ## every limit at its boundaries against an oracle: build/limits.json
	$(PY) -m mesodrive_rig.campaigns.limits

mutation: venv ## bugs put into the safety modules, one by one: build/mutation.json
	$(PY) -m mesodrive_rig.campaigns.mutation

faults: emulator firmware ## faults in each phase of a session, on the emulated chip: build/faults.json
	$(PY) -m mesodrive_rig.campaigns.faults --most 1850

soak: emulator firmware ## fourteen days of a clinic, compressed: build/soak.json
	$(PY) -m mesodrive_rig.campaigns.soak

trace: venv ## hazards, requirements, tests: build/trace.json, docs/safety/matrix.md
	$(PY) -m mesodrive_rig.trace

sbom: ## what a release is made of: docs/safety/sbom.json (CycloneDX)
	@$(TOOLCHAIN) sbom

flash: venv firmware ## write the image to a board (BOARD=pico PORT=/media/you/RPI-RP2)
	@build/venv/bin/mesodrive flash --board $(BOARD) $(if $(PORT),--port $(PORT))

console: venv ## what the host tool can do
	@build/venv/bin/mesodrive --help

lock: venv ## resolve the Python dependencies anew
	@$(TOOLCHAIN) lock

clean: ## remove all that was made, downloads included
	rm -rf build hil_tests/mesodrive_rig/emulated/*.so
