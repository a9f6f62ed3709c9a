//go:build tools

// Names the modules whose commands are built from here, so that go.mod keeps them.
package main

import _ "sigs.k8s.io/kind/cmd/kind/app"
