package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// API calls the admin API of a Redis Enterprise cluster through a port-forward to one of its pods. Close it.
type API struct {
	*rest.Client
	stop func()
}

// Close ends the port-forward.
func (a *API) Close() {
	a.Client.Close()
	a.stop()
}

// API opens a port-forward to a ready node pod of the REC.
func (c *Cluster) API(ctx context.Context, rec string) (*API, error) {
	pod, err := c.readyPod(ctx, rec)
	if err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := c.Get(ctx, c.Key(rec), &secret); err != nil {
		return nil, err
	}
	address, stop, err := c.dial(pod)
	if err != nil {
		return nil, err
	}
	credentials := rest.Credentials{Username: string(secret.Data[names.UsernameKey]), Password: string(secret.Data[names.PasswordKey])}
	api := rest.New(rest.Options{
		Addresses:     func() []string { return []string{address} },
		ServerName:    names.FQDN(rec, c.Namespace),
		Credentials:   func() rest.Credentials { return credentials },
		TrustLoopback: true, // the port-forward ends on our own loopback and begins inside the pod
	})
	return &API{Client: api, stop: stop}, nil
}

// dial makes the admin API of a pod reachable from here.
func (c *Cluster) dial(pod *corev1.Pod) (address string, stop func(), err error) {
	if c.PodsAreHere {
		return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(names.APIPort)), func() {}, nil
	}
	stopped := make(chan struct{})
	stop = func() { close(stopped) }
	port, err := c.forward(pod.Name, names.APIPort, stopped)
	if err != nil {
		stop()
		return "", nil, err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), stop, nil
}

func (c *Cluster) readyPod(ctx context.Context, rec string) (*corev1.Pod, error) {
	pods, err := c.NodePods(ctx, rec)
	if err != nil {
		return nil, err
	}
	var best *corev1.Pod
	for _, pod := range pods {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
				// the master answers without a redirect, which a port-forward could not follow
				if best = &pod; pod.Labels[names.LabelMaster] == "1" {
					return best, nil
				}
			}
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no pod of rec/%s is ready", rec)
	}
	return best, nil
}

// NodePods lists the node pods of the REC.
func (c *Cluster) NodePods(ctx context.Context, rec string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := c.List(ctx, &pods, client.InNamespace(c.Namespace), client.MatchingLabels(names.NodeLabels(rec)))
	return pods.Items, err
}

func (c *Cluster) forward(pod string, port int, stop chan struct{}) (int, error) {
	url := c.Core.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.Namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.Config)
	if err != nil {
		return 0, err
	}
	ready := make(chan struct{})
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	forwarder, err := portforward.New(dialer, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return 0, err
	}
	failed := make(chan error, 1)
	go func() { failed <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-failed:
		return 0, fmt.Errorf("port-forward to %s: %w", pod, err)
	case <-time.After(15 * time.Second):
		return 0, fmt.Errorf("port-forward to %s: no answer", pod)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return 0, err
	}
	return int(ports[0].Local), nil
}

// MasterPod is the pod whose node holds a master shard of the database.
func (c *Cluster) MasterPod(ctx context.Context, rec, db string) (string, error) {
	var redb appv1alpha1.RedisEnterpriseDatabase
	if err := c.Get(ctx, c.Key(db), &redb); err != nil {
		return "", err
	}
	api, err := c.API(ctx, rec)
	if err != nil {
		return "", err
	}
	defer api.Close()
	shards, err := api.ListShards(ctx)
	if err != nil {
		return "", err
	}
	nodes, err := api.ListNodes(ctx)
	if err != nil {
		return "", err
	}
	pods, err := c.NodePods(ctx, rec)
	if err != nil {
		return "", err
	}
	for _, shard := range shards {
		if shard.Role != rest.RoleMaster || shard.BDBUID.String() != redb.Status.DatabaseUID {
			continue
		}
		for _, node := range nodes {
			for _, pod := range pods {
				if node.UID == shard.NodeUID && node.Addr == pod.Status.PodIP {
					return pod.Name, nil
				}
			}
		}
	}
	return "", fmt.Errorf("no pod holds a master shard of redb/%s", db)
}

// LosePod ends a node pod as the loss of its machine would: the emulator dies on the spot, without a drain, and the pod is
// taken out of Kubernetes, so that another one replaces it. Deleting it by force alone would not do: the kubelet still
// runs the hooks of such a pod and drains the node.
func (c *Cluster) LosePod(ctx context.Context, name string) error {
	if err := c.execIn(ctx, name, names.NodeContainer, "/usr/local/bin/emulator", "crash"); err != nil && !ended(err) {
		return err
	}
	return c.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: name}}, client.GracePeriodSeconds(0))
}

// ended tells whether a command ended because its container did.
func ended(err error) bool {
	const killed = 128 + 9
	var exit exec.CodeExitError
	return errors.As(err, &exit) && exit.Code == killed || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Logs reads everything a pod has logged.
func (c *Cluster) Logs(ctx context.Context, pod string) (string, error) {
	stream, err := c.Core.CoreV1().Pods(c.Namespace).GetLogs(pod, &corev1.PodLogOptions{}).Stream(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	var text bytes.Buffer
	_, err = io.Copy(&text, stream)
	return text.String(), err
}
