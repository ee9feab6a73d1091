package remotecluster

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Observed is what is known of the remote cluster, and the local one's version.
type Observed struct {
	Result Result
	// Version is the local cluster's; empty while it is not known.
	Version string
}

// observe takes what the prober knows. It waits for nothing: the prober wakes the resource when there is news.
func (k *Kind) observe(in Inputs, wish Desired) Observed {
	key := client.ObjectKeyFromObject(in.Remote)
	obs := Observed{Result: Result{Finding: NotYet}}
	if in.Own != nil {
		if s := in.Own.Latest(); s.Known() {
			obs.Version = lowest(s.Nodes)
		}
	}
	switch {
	case !in.Remote.DeletionTimestamp.IsZero(), wish.Problem != nil:
		k.Prober.Remove(key)
	default:
		obs.Result = k.Prober.Ensure(key, wish.Target)
	}
	return obs
}
