package crash

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// domain ends the host names at which clusters are reached from outside.
const domain = ".crash.example.com"

// globalPort is where each instance of the Active-Active database answers.
const globalPort = 12900

// apiHost and suffix are the host names of the cluster in a namespace.
func apiHost(namespace string) string { return "api-" + namespace + domain }
func suffix(namespace string) string  { return "-db-" + namespace + domain }

// wayIn is what a cluster asks for to be reached there.
func wayIn(namespace string) *appv1.IngressOrRouteSpec {
	return &appv1.IngressOrRouteSpec{Method: appv1.ExposureIngress, APIFQDNURL: apiHost(namespace), DBFQDNSuffix: suffix(namespace),
		IngressAnnotations: map[string]string{"kubernetes.io/ingress.class": "any"}}
}

// outside is the network between clusters: it leads each host name to a node of the cluster that has it, whichever answers.
type outside struct{ client client.Client }

// abroad is that of the world of this package.
var abroad = &outside{}

func (o *outside) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	name, ours := strings.CutSuffix(host, domain)
	if !ours {
		return dialer.DialContext(ctx, network, address)
	}
	namespace, port := strings.TrimPrefix(name, "api-"), names.APIPort
	if _, after, database := strings.Cut(name, "-db-"); database {
		namespace, port = after, globalPort
	}
	var pods corev1.PodList
	if err := o.client.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(names.NodeLabels(recName))); err != nil {
		return nil, err
	}
	pods.Items = slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool { return pod.Status.PodIP == "" })
	rand.Shuffle(len(pods.Items), func(i, j int) { pods.Items[i], pods.Items[j] = pods.Items[j], pods.Items[i] })
	refused := error(&net.OpError{Op: "dial", Net: network, Err: errors.New("nobody is there")})
	for _, pod := range pods.Items {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port)))
		if err == nil {
			return conn, nil
		}
		refused = err
	}
	return nil, refused
}
