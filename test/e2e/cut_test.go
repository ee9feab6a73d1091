//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cutChain holds the rules of a cut. It is passed before the address of a Service is translated, so both new connections and those
// that are open meet it; packets are dropped, as by a network that is broken, and nobody is told.
const cutChain = "E2E-CUT"

// onNode runs a program inside the node's namespaces; it is not there where the suite runs on a cluster that it did not start.
func onNode(ctx context.Context, t *testing.T, words ...string) {
	t.Helper()
	words = append(strings.Fields(setting("NODE_EXEC", "")), words...)
	if out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", words, err, out)
	}
}

// cut drops what the pods of one site send to the proxy of another: node pods and operator alike. It returns what heals it.
func cut(t *testing.T, from, to *site) (heal func()) {
	t.Helper()
	iptables := func(ctx context.Context, words ...string) {
		t.Helper()
		onNode(ctx, t, append([]string{"iptables", "-w", "-t", "mangle"}, words...)...)
	}
	pods, err := from.Core.CoreV1().Pods(from.Namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	chain := cutChain + "-" + from.name
	iptables(t.Context(), "-N", chain)
	healed := false
	heal = func() {
		if healed {
			return
		}
		healed = true
		ctx := context.WithoutCancel(t.Context())
		iptables(ctx, "-D", "PREROUTING", "-j", chain)
		iptables(ctx, "-F", chain)
		iptables(ctx, "-X", chain)
	}
	for _, pod := range pods.Items {
		if pod.Status.PodIP != "" && !pod.Spec.HostNetwork {
			iptables(t.Context(), "-A", chain, "-s", pod.Status.PodIP, "-d", to.address, "-j", "DROP")
		}
	}
	iptables(t.Context(), "-I", "PREROUTING", "-j", chain)
	t.Cleanup(heal)
	return heal
}
