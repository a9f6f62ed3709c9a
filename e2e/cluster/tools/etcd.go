package main

import (
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
)

func init() {
	commands["etcd"] = func() *cobra.Command {
		return &cobra.Command{
			Use:                "etcd",
			DisableFlagParsing: true,
			Run:                func(*cobra.Command, []string) { etcdmain.Main(append([]string{"etcd"}, os.Args[1:]...)) },
		}
	}
}
