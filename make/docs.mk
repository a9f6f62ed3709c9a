.PHONY: docs
docs: node_modules ## Write docs/cli.md, docs/metrics.md and docs/reasons.md from what the product itself uses
	@node scripts/docs.ts
