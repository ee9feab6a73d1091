package schema

import (
	"strconv"
	"strings"
)

// hosts are the nodes that take shards.
func hosts(nodes []Object) []Object {
	var out []Object
	for _, n := range nodes {
		accepts, said := n["accept_servers"].(bool)
		if (accepts || !said) && TextOf(n, "status") != "decommissioning" {
			out = append(out, n)
		}
	}
	return out
}

func ruleRackOnCreate(w wish) error {
	if BoolOf(w.now, "rack_aware") && !rackAware(w.facts) {
		return notAcceptable("not_rack_aware", "The cluster is not rack aware")
	}
	return ruleRacks(w)
}

func ruleRackOnChange(w wish) error {
	if BoolOf(w.asked, "rack_aware") && !rackAware(w.facts) {
		return notAcceptable("rack_awareness_violation", "The cluster is not rack aware")
	}
	return ruleRacks(w)
}

func rackAware(f Facts) bool {
	return BoolOf(f.Cluster, "rack_aware") || BoolOf(f.Policy, "rack_aware")
}

func ruleRacks(w wish) error {
	if !BoolOf(w.now, "rack_aware") || !BoolOf(w.now, "replication") {
		return nil
	}
	racks := map[string]bool{}
	for _, n := range hosts(w.facts.Nodes) {
		if rack := TextOf(n, "rack_id"); rack != "" {
			racks[strings.ToLower(rack)] = true
		}
	}
	if len(racks) < 2 {
		return notAcceptable("rack_awareness_violation", "Rack awareness with replication needs two racks")
	}
	return nil
}

// ruleNodes looks at use_nodes and avoid_nodes.
func ruleNodes(w wish) error {
	if !w.says("use_nodes") && !w.says("avoid_nodes") {
		return nil
	}
	use, avoid := nodeSet(w.now["use_nodes"]), nodeSet(w.now["avoid_nodes"])
	left := 0
	for _, n := range hosts(w.facts.Nodes) {
		uid := strconv.FormatInt(IntOf(n, "uid"), 10)
		if (len(use) == 0 || use[uid]) && !avoid[uid] {
			left++
		}
	}
	need := 1
	if BoolOf(w.now, "replication") {
		need = 2
	}
	if left < need {
		return notAcceptable("insufficient_resources", "use_nodes and avoid_nodes leave %d of %d needed nodes", left, need)
	}
	return nil
}

func nodeSet(v any) map[string]bool {
	set := map[string]bool{}
	for _, e := range listOf(v) {
		if s, ok := e.(string); ok {
			set[s] = true
		}
	}
	return set
}

// ruleBlueprint looks at a placement that came from a dry run.
func ruleBlueprint(w wish) error {
	if !w.says("shards_blueprint") {
		return nil
	}
	if w.facts.AskedFor != nil && *w.facts.AskedFor != w.facts.StateID {
		return notAcceptable("wrong_cluster_state_id", "The cluster has changed since the blueprint was made")
	}
	blueprint := listOf(w.asked["shards_blueprint"])
	if int64(len(blueprint)) != IntOf(w.now, "shards_count") {
		return notAcceptable("bad_shards_blueprint", "The blueprint has %d entries for %d shards",
			len(blueprint), IntOf(w.now, "shards_count"))
	}
	known := map[string]bool{}
	for _, n := range w.facts.Nodes {
		known[strconv.FormatInt(IntOf(n, "uid"), 10)] = true
	}
	for _, b := range blueprint {
		o, _ := b.(map[string]any)
		for _, n := range listOf(o["nodes"]) {
			node, _ := n.(map[string]any)
			if !known[TextOf(node, "node_uid")] {
				return notAcceptable("bad_shards_blueprint", "The blueprint names an unknown node")
			}
		}
	}
	return nil
}
