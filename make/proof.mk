# The proofs: scenarios, demo and benchmarks, all against the installed product in the lab's cluster.
# They run where kubectl reaches the cluster: `lab exec host` enters that network.
LAB := e2e/cluster/lab
IN_LAB := $(LAB) exec host -- $(CURDIR)/node_modules/.bin/node

.PHONY: e2e
e2e: node_modules ## Every scenario against the cluster and the image that are there (ONLY=name,name* picks some)
	@mkdir -p build/results && rm -f build/results/e2e.json
	@node e2e/runner/fetch-tools.ts
	@ONLY='$(ONLY)' $(IN_LAB) e2e/runner/run-scenarios.ts

.PHONY: e2e-long
e2e-long: node_modules ## The long scenarios, as e2e: other people's programs against ours (ONLY=name picks some)
	@mkdir -p build/results && rm -f build/results/e2e-long.json
	@node e2e/runner/fetch-tools.ts long
	@ONLY='$(ONLY)' $(IN_LAB) e2e/runner/run-scenarios.ts long

.PHONY: demo
demo: node_modules ## From a fresh machine to a Service that a client fetches, then a cut link and the time of the takeover
	@node e2e/demo/demo.ts

.PHONY: bench
bench: node_modules ## Measure, with floors from the same run (ONLY=l2.cut,alloc.* picks some); results in bench/results
	@ONLY='$(ONLY)' $(IN_LAB) bench/main.ts
