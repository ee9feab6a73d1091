// Command provisioner gives every claim of the local cluster's StorageClass a
// folder on the (only) node, grows it when the claim asks for more, and removes
// it with the volume.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file")
	folder := flag.String("folder", "/var/lib/volumes", "folder that holds one folder per volume")
	node := flag.String("node", "local", "name of the node the folder is on")
	name := flag.String("name", "local.open-redis-enterprise.io/hostpath", "provisioner name that StorageClasses refer to")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, Volumes{Provisioner: *name, Folder: *folder, Node: *node}); err != nil {
		slog.Error("ended", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string, volumes Volumes) error {
	if volumes.Folder == "" || volumes.Folder == "/" {
		return errors.New("--folder must name a folder of its own")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return NewController(client, volumes).Run(ctx)
}
