// kstatus reads Kubernetes objects as one JSON list from standard input and prints, for each, what kustomize's own
// kstatus library says of it, as a JSON list of {"status", "message"} in the same order.
package main

import (
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func run() error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	// Not encoding/json: kstatus takes whole numbers only as int64.
	var objects []any
	if err := json.Unmarshal(text, &objects); err != nil {
		return fmt.Errorf("standard input is no JSON list of objects: %w", err)
	}
	verdicts := make([]verdict, 0, len(objects))
	for at, one := range objects {
		object, isObject := one.(map[string]any)
		if !isObject {
			return fmt.Errorf("entry %d is no object", at)
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: object})
		if err != nil {
			return fmt.Errorf("object %d: %w", at, err)
		}
		verdicts = append(verdicts, verdict{Status: result.Status.String(), Message: result.Message})
	}
	answer, err := json.Marshal(verdicts)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(answer)
	return err
}
