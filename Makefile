.PHONY: check format test serve
PY ?= python
check:
	$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy && lint-imports
format:
	$(PY) -m ruff check --fix . && $(PY) -m ruff format .
test:
	$(PY) -m pytest
serve:
	organelle-widgets dashboard
