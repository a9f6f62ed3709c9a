# The door to the API server against the real one: kube-apiserver and etcd on loopback, from the lab's cache.
HYPERKUBE ?= $(firstword $(wildcard $(if $(HERALD_CACHE),$(HERALD_CACHE),$(HOME)/.cache/herald)/bin/*/hyperkube))

.PHONY: api-contract
api-contract: node_modules ## The door to the API server against a real kube-apiserver on loopback (after make cluster, which builds it)
	@HYPERKUBE='$(HYPERKUBE)' node scripts/run-tests.ts api-contract operator --match .e2e.ts --one-by-one
