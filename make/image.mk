.PHONY: image
image: node_modules ## Build the image herald:<version> as build/herald-image.tar (no Docker needed) and prove its contents; ARCH=arm64 for that platform
	@ARCH='$(ARCH)' node image/build.ts
	@ARCH='$(ARCH)' node scripts/run-tests.ts image image --match .image.ts

.PHONY: image-arm64
image-arm64: ## As make image ARCH=arm64
	@$(MAKE) image ARCH=arm64
