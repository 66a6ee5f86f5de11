# Every target makes its own environment in .venv first, if it is missing or stale.
# Needed beforehand: Python 3.11 or newer (another one: make PYTHON=python3.12 book).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV := $(VENV)/.complete

LIBRARY := $(shell find convexnn_lib -name '*.py' -o -name '*.pyi' -o -name '*.js' \
	-o -name '*.css')
PAGES := $(shell find chapters -type f -not -path '*/.ipynb_checkpoints/*')
SETTINGS := _config.yml _toc.yml references.bib $(shell find _ext _static _vendor -type f)
PDF := _build/latex/convexnn.pdf
LATEX_PACKAGES := texlive-xetex texlive-latex-extra texlive-fonts-recommended \
	fonts-texgyre fonts-texgyre-math fonts-dejavu-core latexmk xindy

# The tests to run, where not all of a kind: make unit TESTS=tests/flow
TESTS =
# Where to serve the book: make serve PORT=8123
PORT = 8000
# The modules to change, where not all: make mutants MODULES=problem/network.py
MODULES =

# Matplotlib looks for fonts at its first start, and says so where that takes long: what
# it finds is kept here, whatever home directory there is.
export MPLCONFIGDIR ?= $(CURDIR)/_build/matplotlib
FONTS := _build/.fonts

# Each of hundreds of processes would compile the library and the tests anew.
unexport PYTHONDONTWRITEBYTECODE

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book live live-chapters serve slides pdf test quick test-processors lint layers types unit notebooks mutants lab chapters \
	assignments latex-packages clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: _build/html/.complete ## execute the chapters and build the book
	@echo "The book is at $(CURDIR)/_build/html/index.html"

live: $(ENV) ## assemble what runs the chapters in a reader's page, which book includes
	@$(BIN)/python tools/live/assemble.py _build/live/live
	@touch _build/.live

live-chapters: $(ENV) _build/.live ## run every chapter in Pyodide, and compare (takes long)
	LIVE_CHAPTERS=all $(BIN)/python -m pytest tests/live/test_chapters_in_node.py $(TESTS)

serve: book ## serve the book on this machine, where its chapters run in the page
	@$(BIN)/python tools/live/serve.py _build/html $(PORT)

slides: book ## build the lectures' slides: pages, and PDF files (needs Chromium)
	@$(BIN)/python tools/slides.py _build/html _build/slides

pdf: _build/latex/.complete ## typeset the book (needs XeLaTeX), and link it from the pages
	@$(MAKE) book
	@echo "The PDF is at $(CURDIR)/_build/latex/convexnn.pdf"

test: $(ENV) ## run all checks whatever fails, and list at the end what failed
	@$(BIN)/python tools/checks.py lint types unit notebooks old usual new

quick: $(ENV) ## check what takes two minutes: one case of each test that is not slow
	@$(BIN)/python tools/checks.py lint types quick

test-processors: $(ENV) ## run notebooks, doctests and exercises as on other processors
	@$(BIN)/python tools/checks.py old usual new

lint: $(ENV) ## check style and format of modules and notebooks, and the JavaScript
	@failed=0; for check in "$(BIN)/ruff check ." "$(BIN)/ruff format --check ." \
		tools/javascript/check.sh; do \
		echo "$$check"; $$check || failed=1; done; exit $$failed

layers: ## show the layers of the library and check its imports
	@$(PYTHON) tools/layers.py

types: $(ENV) ## check the types of the library
	$(BIN)/mypy

unit: $(ENV) ## run the unit tests and the docstrings' examples
	$(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

notebooks: $(ENV) ## execute every chapter and compare with its stored outputs
	$(BIN)/python -m pytest -n auto --dist loadfile -o addopts= \
		--nbval --nbval-current-env --nbval-kernel-startup-timeout 600 \
		--nbval-cell-timeout 3600 $(or $(TESTS),chapters)

mutants: $(ENV) ## change the code that decides, bit by bit, and count what no test catches
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint requirements.lock $$($(BIN)/python -c "import tomllib; \
		groups = tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']; \
		print(*groups['mutants'])")
	$(BIN)/python tools/mutants.py $(MODULES)

lab: $(ENV) ## open the chapters in JupyterLab
	$(BIN)/jupyter lab chapters

chapters: $(ENV) ## execute every chapter and store its text outputs (for authors)
	$(BIN)/ruff format chapters
	$(BIN)/python tools/chapters.py store chapters/*.ipynb

assignments: $(ENV) ## try the problem sets: solutions get all points, releases none
	$(BIN)/python -m assignments check

latex-packages:
	@echo $(LATEX_PACKAGES)

clean: ## remove the built book and the environment
	rm -rf _build $(VENV)

$(ENV): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
			"Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Installing the environment in $(VENV) (about a minute; torch is large) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --editable .
	@touch $@

notebooks chapters _build/html/.complete _build/latex/.complete: $(FONTS)

$(FONTS): $(ENV)
	@mkdir -p _build && $(BIN)/python -c 'import matplotlib.font_manager' && touch $@

# The cache of executed chapters knows their cells, not the library that they call.
_build/.sources: $(LIBRARY) requirements.lock
	@mkdir -p _build && rm -rf _build/.jupyter_cache && touch $@

# Without a network the book is built without what runs the chapters in a page.
_build/.live: $(ENV) $(LIBRARY) tools/live/assemble.py tools/live/manifest.json
	@mkdir -p _build
	@$(BIN)/python tools/live/assemble.py --optional _build/live/live
	@touch $@

# Sphinx copies static files and applies an extension only to pages that it writes.
_build/.settings: $(SETTINGS) $(LIBRARY) requirements.lock _build/.live
	@mkdir -p _build && rm -rf _build/html _build/.doctrees && touch $@

# A build that failed leaves nothing behind that a later one could take for finished.
# Every page links to the PDF, where there is one.
_build/html/.complete: $(ENV) _build/.sources _build/.settings $(PAGES) $(wildcard $(PDF))
	@test ! -e $(PDF) || test $@ -nt $(PDF) || rm -rf _build/html
	@$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going || { \
		rm -rf _build/html _build/.doctrees; exit 1; }
	@touch $@

_build/latex/.complete: $(ENV) _build/.sources $(SETTINGS) $(LIBRARY) $(PAGES)
	@command -v latexmk >/dev/null && command -v xelatex >/dev/null || { \
		echo "LaTeX is needed. On Debian: apt-get install $(LATEX_PACKAGES)" >&2; exit 1; }
	@rm -rf _build/latex
	@$(BIN)/jupyter-book build . --builder latex --warningiserror --nitpick --keep-going
	@$(MAKE) -C _build/latex \
		LATEXMKOPTS="-silent -interaction=nonstopmode -halt-on-error"
	@touch $@
