# The lab: one kind cluster and two hosts beside it, made from published images or from package registries.

.PHONY: cluster
cluster: node_modules ## Create or reuse the kind cluster "herald" with its hosts client and router
	@node e2e/cluster/up.ts

.PHONY: cluster-down
cluster-down: node_modules ## Remove the cluster and all that `make cluster` started; caches stay
	@node e2e/cluster/down.ts

.PHONY: shell
shell: node_modules ## Open a shell where kubectl reaches the cluster
	@e2e/cluster/lab exec host -- $${SHELL:-/bin/sh}

.PHONY: lab-test
lab-test: node_modules ## Every verb of the lab, shown by its effect on the cluster
	@node scripts/run-tests.ts lab e2e/cluster --match lab.e2e.ts --minutes 6

.PHONY: cluster-down-test
cluster-down-test: node_modules ## A second cluster comes and goes in bad states, and leaves nothing
	@node scripts/run-tests.ts cluster-down e2e/cluster --match cluster-down.e2e.ts --minutes 10
