package children

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
)

const riggerContainer = "services-rigger"

// Rigger is the Deployment of the services rigger (rule RIG-1).
func Rigger(c Cluster) *appsv1.Deployment {
	labels := merged(names.ClusterLabels(c.REC.Name), map[string]string{names.LabelRole: names.RoleRigger})
	return &appsv1.Deployment{
		ObjectMeta: c.meta(names.Rigger(c.REC.Name)),
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](1),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			// The old one is gone before the new one starts: two with different settings would undo each other's work (rule
			// NET-8), and a machine may have no room for two.
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: riggerPod(c, labels),
		},
	}
}

func riggerPod(c Cluster, labels map[string]string) corev1.PodTemplateSpec {
	spec := &c.REC.Spec
	settings := ptr.Deref(spec.ServicesRiggerSpec, v1.ServicesRiggerSpec{})
	pod := corev1.PodSpec{
		ServiceAccountName:            c.REC.ServiceAccountName(),
		EnableServiceLinks:            ptr.To(false),
		TerminationGracePeriodSeconds: ptr.To[int64](10),
		SecurityContext:               podSecurity(),
		Containers:                    []corev1.Container{riggerContainerOf(c, settings)},
		Volumes:                       append([]corev1.Volume{credentialsVolumeOf(c)}, timezoneVolumes(spec)...),
	}
	place(&pod, spec)
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      c.labels(labels),
			Annotations: merged(spec.PodAnnotations, settings.PodAnnotations),
		},
		Spec: eachVariableOnce(override(pod, settings.ServicesRiggerAdditionalPodSpecAttributes)),
	}
}

func riggerContainerOf(c Cluster, settings v1.ServicesRiggerSpec) corev1.Container {
	spec := &c.REC.Spec
	return corev1.Container{
		Name:            riggerContainer,
		Image:           Image(spec.RedisEnterpriseServicesRiggerImageSpec, c.Platform.Rigger).String(),
		ImagePullPolicy: pullPolicy(spec.RedisEnterpriseServicesRiggerImageSpec),
		Args:            []string{"services-rigger"},
		Env:             environment(clusterIdentity(c.REC), podIdentity(), riggerEnv(c.REC, settings), timezone(spec), settings.ExtraEnvVars),
		Ports:           []corev1.ContainerPort{{Name: names.ProbePortName, ContainerPort: names.ProbePort, Protocol: corev1.ProtocolTCP}},
		Resources:       riggerResources(spec),
		VolumeMounts:    append([]corev1.VolumeMount{credentialsMount()}, timezoneMounts(spec)...),
		LivenessProbe: &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: probePath("/healthz")}, PeriodSeconds: 10, TimeoutSeconds: 5, FailureThreshold: 3,
		},
		ReadinessProbe: &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: probePath("/readyz")}, PeriodSeconds: 5, TimeoutSeconds: 5, FailureThreshold: 3,
		},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext:          containerSecurity(),
	}
}

// riggerEnv passes the settings of rules RIG-3, RIG-4, RIG-5 and RIG-7 on, and how databases are reached from outside.
func riggerEnv(rec *v1.RedisEnterpriseCluster, settings v1.ServicesRiggerSpec) []corev1.EnvVar {
	env := []corev1.EnvVar{
		{Name: names.EnvClusterUID, Value: string(rec.UID)},
		{Name: names.EnvServiceTypes, Value: or(settings.DatabaseServiceType, "cluster_ip,headless")},
		{Name: names.EnvServiceNaming, Value: or(string(settings.ServiceNaming), string(v1.ServiceNamingDatabase))},
		{Name: names.EnvPortPolicy, Value: or(string(settings.DatabaseServicePortPolicy), string(v1.ServicePortDatabase))},
	}
	if len(rec.Spec.ExtraLabels) > 0 {
		env = append(env, corev1.EnvVar{Name: names.EnvExtraLabels, Value: asJSON(rec.Spec.ExtraLabels)})
	}
	if s := rec.Spec.Services; s != nil && len(s.ServicesAnnotations) > 0 {
		annotations := merged(s.ServicesAnnotations)
		delete(annotations, names.AnnotationLastKeys)
		env = append(env, corev1.EnvVar{Name: names.EnvServiceAnnotations, Value: asJSON(annotations)})
	}
	if s := waysIn(rec); s.Method != "" {
		s.Path = "" // which of its two spellings asked is no reason to start anew
		env = append(env, corev1.EnvVar{Name: names.EnvIngress, Value: asJSON(s)})
	}
	return env
}

// waysIn is what the spec asks for. One that is refused never gets here; it counts as not asked.
func waysIn(rec *v1.RedisEnterpriseCluster) ingress.Settings {
	s, err := ingress.SettingsOf(rec)
	if err != nil {
		return ingress.Settings{}
	}
	return s
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// asJSON prints texts and maps of texts, with the keys in order.
func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("children: texts always marshal: " + err.Error())
	}
	return string(raw)
}

func riggerResources(spec *v1.RedisEnterpriseClusterSpec) corev1.ResourceRequirements {
	if spec.RedisEnterpriseServicesRiggerResources != nil {
		return *spec.RedisEnterpriseServicesRiggerResources
	}
	return guaranteed(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("500Mi")})
}
