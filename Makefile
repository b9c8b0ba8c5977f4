# make help lists the targets. Everything runs in .venv, made on first use.
SHELL := /bin/bash
PYTHON ?= python3
PROFILE ?= quick
DATASET ?= auto
# nproc itself obeys OMP_NUM_THREADS: cores are meant
JOBS ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
SITE := build/$(PROFILE)
READY := $(VENV)/.ready

# One thread a process, as many processes as cores: with torch's default threads each they
# run many times slower (tests/benchmarks/bench_threads.py measures it, book/scale.md shows it).
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= $(OMP_NUM_THREADS)
export OPENBLAS_NUM_THREADS ?= $(OMP_NUM_THREADS)
export GIQA_STORE ?= $(CURDIR)/build/store
export HF_HUB_OFFLINE ?= 1

.PHONY: help book run sweep demo-weights claim plan data test test-all lint format types bench robust scale serve clean distclean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[book,test]'
	touch $@

data: build/dataset  ## fetch the default data set (Fashion-MNIST)

# Debian's package where there is apt and the right to use it, else torchvision's mirrors, else
# scikit-learn's digits, which need no fetching. The file holds the name of what was had.
build/dataset: $(READY)
	@mkdir -p build
	@if [ "$(DATASET)" != auto ]; then echo $(DATASET) > $@; \
	elif $(BIN)/python -m giqa_lib.data where fashion-mnist >/dev/null 2>&1; then echo fashion-mnist > $@; \
	else \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	  if command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
	    { $$sudo apt-get update -qq && $$sudo apt-get install -y -qq dataset-fashion-mnist; } >build/apt.log 2>&1 || true; fi; \
	  if $(BIN)/python -m giqa_lib.data where fashion-mnist >/dev/null 2>&1 || $(BIN)/python -m giqa_lib.data fetch fashion-mnist; \
	  then echo fashion-mnist > $@; \
	  else echo "Fashion-MNIST cannot be fetched here: the book uses scikit-learn's digits instead." >&2; echo digits > $@; fi; \
	fi
	@echo "data set: $$(cat $@)"

book: build/dataset  ## execute what changed and render the book (PROFILE=quick|cpu|paper)
	$(BIN)/snakemake --quiet --cores $(JOBS) --rerun-incomplete --config profile=$(PROFILE) dataset=$$(cat build/dataset)
	@echo "the book: $(SITE)/_build/html/index.html  (make serve PROFILE=$(PROFILE))"

run: build/dataset  ## run one notebook: NOTEBOOK=1_giqa/density_scores PROFILE=cpu ARGS="-p seed=1"
	$(BIN)/python -m giqa_lib.runner run $(NOTEBOOK) --profile $(PROFILE) -p dataset=$$(cat build/dataset) $(ARGS)

sweep: build/dataset  ## run a notebook under many parameters: NOTEBOOK=... TO=folder ARGS='--over seed=[0,1,2]'
	$(BIN)/python -m giqa_lib.runner sweep $(NOTEBOOK) --profile $(PROFILE) --to $(TO) --jobs $(JOBS) -p dataset=$$(cat build/dataset) $(ARGS)

demo-weights: $(READY)  ## train the weights that the chapter 4_gman/demo shows (WEIGHTS_OF=mnist)
	$(BIN)/python -c "from giqa_lib.applications.gman import demo_weights; demo_weights('book/weights/gman.safetensors', dataset='$(or $(WEIGHTS_OF),mnist)')"

claim: build/dataset  ## run what one claim needs and judge it: ID=..., PROFILE=cpu; exit 0 if reproduced
	$(BIN)/python -m giqa_lib.runner claim $(ID) --profile $(PROFILE) -p dataset=$$(cat build/dataset) $(ARGS)

plan: $(READY)  ## what a run of the book would do, without doing it: PROFILE=paper ARGS="-p dataset=ffhq"
	$(BIN)/python -m giqa_lib.runner plan --profile $(PROFILE) $(if $(filter paper,$(PROFILE)),--measure) $(ARGS)

test: $(READY)  ## the tests that CI runs
	$(BIN)/python -m pytest -q $(ARGS)

test-all: $(READY)  ## the slow tests too
	$(BIN)/python -m pytest -q -m "slow or not slow" $(ARGS)

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## mend what the style check can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## speed and memory against peers, in one run; writes book/results/benchmarks.json
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[bench]'
	OMP_NUM_THREADS=2 MKL_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 $(BIN)/python tests/benchmarks/run.py $(ARGS)

robust: $(READY)  ## hostile images, damaged scorers and kill -9, counted; writes book/results/robustness.json
	$(BIN)/python tests/benchmarks/robustness.py $(ARGS)

scale: $(READY)  ## memory and time from 10^4 to 10^6 images; writes book/results/scale.json
	$(BIN)/python tests/benchmarks/scale.py $(ARGS)

serve: $(READY)  ## show the rendered book on http://localhost:8000
	$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory $(SITE)/_build/html

clean:  ## remove pages and quick records; the environment and the store of artefacts stay
	rm -rf build/quick build/cpu build/paper build/dataset book/results/quick .snakemake

distclean: clean  ## remove the environment and the store too
	rm -rf build $(VENV)
