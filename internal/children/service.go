package children

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// APIService is where the admin API is reached inside Kubernetes.
func APIService(c Cluster) *corev1.Service {
	kind := corev1.ServiceTypeClusterIP
	if s := c.REC.Spec.Services; s != nil && s.APIService != nil && s.APIService.Type != "" {
		kind = s.APIService.Type
	}
	return c.service(c.REC.Name, kind, nil,
		servicePort(names.APIPortName, names.APIPort),
		servicePort(names.SentinelName, names.SentinelPort))
}

// UIService is the admin console; there is none while the console is switched off (rule REC-113).
func UIService(c Cluster) *corev1.Service {
	if s := c.REC.Spec.RedisEnterpriseServicesConfiguration; s != nil && s.CMServer != nil && s.CMServer.OperatingMode == v1.ModeDisabled {
		return nil
	}
	kind := c.REC.Spec.UIServiceType
	if kind == "" {
		kind = corev1.ServiceTypeClusterIP
	}
	service := c.service(names.UI(c.REC.Name), kind, c.REC.Spec.UIAnnotations, servicePort(names.UIPortName, names.UIPort))
	if kind == corev1.ServiceTypeExternalName {
		service.Spec.ExternalName = names.FQDN(c.REC.Name, c.REC.Namespace)
	}
	return service
}

// MetricsService gives each node's metrics an address; it is also the one that names the pods of the StatefulSet.
func MetricsService(c Cluster) *corev1.Service {
	service := c.service(names.Metrics(c.REC.Name), corev1.ServiceTypeClusterIP, nil, servicePort(names.MetricsName, names.MetricsPort))
	service.Labels[names.LabelService] = names.MetricsService
	service.Spec.ClusterIP = corev1.ClusterIPNone
	service.Spec.PublishNotReadyAddresses = true
	return service
}

func (c Cluster) service(name string, kind corev1.ServiceType, annotations map[string]string, ports ...corev1.ServicePort) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: c.meta(name),
		Spec:       corev1.ServiceSpec{Type: kind, Selector: names.NodeLabels(c.REC.Name), Ports: ports},
	}
	var shared map[string]string
	if c.REC.Spec.Services != nil {
		shared = c.REC.Spec.Services.ServicesAnnotations
	}
	service.Annotations = serviceAnnotations(shared, annotations)
	return service
}

// serviceAnnotations joins the annotations for all Services with those for one, which win (rule NET-16), and records
// their keys so that later ones can be told from foreign ones (rule REC-9).
func serviceAnnotations(shared, own map[string]string) map[string]string {
	all := merged(shared, own)
	delete(all, names.AnnotationLastKeys)
	if len(all) == 0 {
		return nil
	}
	var keys []string
	for key := range all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	all[names.AnnotationLastKeys] = strings.Join(keys, ",")
	return all
}

// WithoutForeign drops from a wished Service the annotations that somebody else put on the live one: neither may
// overwrite the other for ever (rules REC-9, NET-16). live is nil when there is none.
func WithoutForeign(wish, live *corev1.Service) {
	if live == nil || len(wish.Annotations) == 0 {
		return
	}
	ours := strings.Split(live.Annotations[names.AnnotationLastKeys], ",")
	kept := map[string]string{}
	for key, value := range wish.Annotations {
		current, exists := live.Annotations[key]
		if key != names.AnnotationLastKeys && (!exists || current == value || slices.Contains(ours, key)) {
			kept[key] = value
		}
	}
	wish.Annotations = serviceAnnotations(kept, nil)
}

func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}
}
