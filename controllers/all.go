package controllers

// All are the controllers that the manager runs: one for each kind, and the one that talks to OLM. A new kind is one more entry.
var All = []Controller{
	Clusters,
	Databases,
	RemoteClusters,
	ActiveActiveDatabases,
	OperatorConditions,
}
