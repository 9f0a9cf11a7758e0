# Narthex. Two commands are enough: `make run` and `make test`. The rest is for those who build and package it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DESTDIR ?=
RELEASE := swift build -c release --static-swift-stdlib --product narthex
BINARY = $$(swift build -c release --static-swift-stdlib --show-bin-path)/narthex
# What `narthex --version` says; the date is the commit's, so that the same commit gives the same program.
export NARTHEX_REVISION := $(shell git rev-parse HEAD 2>/dev/null)
export NARTHEX_BRANCH := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
export NARTHEX_BUILD_DATE := $(shell git log -1 --format=%cd --date=format:%Y%m%d-%H:%M:%S 2>/dev/null)
export NARTHEX_BUILD_USER := $(shell id -un 2>/dev/null)@$(shell uname -n 2>/dev/null)
FORMATTED := Package.swift Sources Tests Benchmarks FuzzTargets

.PHONY: help run build test lint format bench fuzz install uninstall clean libraries peers

help: ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: build ## Build a release and start gateway and server together
	@exec Scripts/run "$(BINARY)"

build: libraries ## Build a release
	$(RELEASE)

libraries: # System libraries that the build needs
	@Scripts/install-packages build

peers: # Programs that the whole-process tests talk to; a missing one means skipped tests
	@Scripts/install-packages peers

test: libraries peers lint ## Check the format, then run every test, the fuzzers' seeds among them
	swift build --build-tests
	swift test --skip-build

lint: ## Check that the sources are formatted
	swift format lint --strict --recursive --parallel $(wildcard $(FORMATTED))

format: ## Format the sources
	swift format --in-place --recursive --parallel $(wildcard $(FORMATTED))

bench: libraries ## Run the microbenchmarks
	@Scripts/bench

fuzz: libraries ## Fuzz every parser; SECONDS_EACH=60 sets how long
	@Scripts/fuzz

install: ## Install what `make build` built: binary, man pages, shell completions and systemd units below PREFIX (and DESTDIR)
	@# With sudo there often is no swift on the PATH, and git trusts no folder of another user: nothing is built again.
	@[ -x .build/release/narthex ] || $(MAKE) build
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" Scripts/install .build/release/narthex

uninstall: ## Remove what install put below PREFIX (and DESTDIR)
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" Scripts/install --remove

clean: ## Remove what was built
	rm -rf .build
