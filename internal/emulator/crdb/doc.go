// Package crdb is what emulated clusters agree on about Active-Active databases: the configuration and how changes
// make the next one, what lies beside the data of an instance, what instances tell each other, and the link that does.
//
// Configuration. A database is one object that every participating cluster keeps: instances with numbers that are never
// used twice, the common settings, those of single instances, and a version that grows with every change. The cluster
// that took a request has a task, and its leader works it off: ask all participants whether they could (nothing is done
// when one can not), tell all, wait until all are ready, commit. What fails on the way is taken back everywhere. A
// participant that was told and never heard of a commit takes its new instance down by itself. Tasks and configurations
// are part of the cluster configuration, every step may be done twice, and so the next leader goes on with a task.
//
// Data. Each shard process holds the keys in its database 0 and what replication needs in its database 1, in one
// process, so that persistence, copies, fail-over and resharding keep the two together:
//
//	stamp  key → moment and instance of its last change; a stamp without a key is a deletion
//	log    keys by the number of their last change here, local or received: each key once, however often it changed
//	state  the last number and moment given out, the identity of the log, the floor of the last flush
//	seen   how far this process has taken in each log of each peer
//
// An endpoint sends a change and the note about it as one transaction. A command that changed nothing leaves no note.
// Moments come from a hybrid logical clock: never behind the clock of the machine, nor behind any moment seen.
//
// Convergence. A key is a register: of two changes the one with the later stamp wins, of two at one moment that of the
// instance with the higher number. A shard takes in a received change and compares its stamp in one step. Whoever has
// taken in the same changes in whatever order holds the same values; an older change is dropped, twice the same is
// nothing. Received changes are in the log as well, so they reach instances that lost the direct link.
//
// Links. Every instance asks each peer, through the address that the configuration gives for it, for what came after
// what it has seen, and the peer's endpoint answers from the logs of its shards. A log that is as long as the key space is
// never cut, so a link resumes after any pause; a shard that lost its data has seen nothing and takes in everything
// again. A new master counts on from beyond what the old one may have told (see Epoch), so nothing hides behind a number
// that was seen before.
package crdb
