package controllers

// All are the controllers that the manager runs. A new kind is one more entry.
var All = []Controller{
	Clusters,
	Databases,
	RemoteClusters,
	ActiveActiveDatabases,
}
