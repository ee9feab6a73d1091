package emulator

import "fmt"

// KillMaster kills the process of the master shard of a database on this node.
func (n *Node) KillMaster(bdb int64) error {
	for _, s := range n.reader().shardsOf(bdb) {
		if s.Role == roleMaster && s.Node == (surface{n}).NodeUID() {
			n.membership().agent.runner(s.UID).process().Kill()
			return nil
		}
	}
	return fmt.Errorf("no master of database %d here", bdb)
}
