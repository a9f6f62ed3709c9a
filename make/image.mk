.PHONY: image
image: node_modules ## Build the image herald:<version> as build/herald-image.tar (no Docker needed) and prove its contents
	@node image/build.ts
	@node scripts/run-tests.ts image image --match .image.ts
