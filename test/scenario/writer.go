package scenario

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/load"
)

const (
	redisload   = "/usr/local/bin/redisload"
	passwordDir = "/run/secrets/database"
	stopDir     = "/run/writer"
	stopFile    = stopDir + "/stop"

	clientContainer = "client"
	// ClientLabel marks the pods of clients.
	ClientLabel = "demo-client"
)

// Writer is a pod that writes to a database through its Service until it is told to stop, and then reads everything back.
type Writer struct {
	cluster *Cluster
	pod     string
}

// WriterOptions say what a writer does; the zero value of a number is the program's default.
type WriterOptions struct {
	Name     string
	Database string
	// Image holds the program redisload.
	Image Image
	Rate  int
}

// StartWriter starts the pod, in place of one of the same name, and returns when writes are being acknowledged.
func (c *Cluster) StartWriter(ctx context.Context, o WriterOptions) (*Writer, error) {
	address, secret, err := c.Endpoint(ctx, o.Database)
	if err != nil {
		return nil, err
	}
	args := []string{"run", "--addr=" + address, "--password-file=" + passwordDir + "/" + names.PasswordKey, "--stop-file=" + stopFile}
	if o.Rate > 0 {
		args = append(args, "--rate="+strconv.Itoa(o.Rate))
	}
	pod := c.clientPod(o.Name, o.Image, secret, args...)
	if err := c.RemovePod(ctx, o.Name); err != nil {
		return nil, err
	}
	if err := c.Create(ctx, pod); err != nil {
		return nil, err
	}
	w := &Writer{cluster: c, pod: o.Name}
	return w, w.awaitWrites(ctx)
}

// Ping runs a pod that waits until the database answers through its Service.
func (c *Cluster) Ping(ctx context.Context, o WriterOptions, limit time.Duration) error {
	address, secret, err := c.Endpoint(ctx, o.Database)
	if err != nil {
		return err
	}
	if err := c.RemovePod(ctx, o.Name); err != nil {
		return err
	}
	pod := c.clientPod(o.Name, o.Image, secret, "ping", "--addr="+address, "--password-file="+passwordDir+"/"+names.PasswordKey, "--duration="+limit.String())
	if err := c.Create(ctx, pod); err != nil {
		return err
	}
	return c.Await(ctx, "pod/"+o.Name, limit+time.Minute, func() (bool, string, error) { return c.finished(ctx, o.Name) })
}

// Endpoint is where clients inside the cluster find a database, and the Secret with its password.
func (c *Cluster) Endpoint(ctx context.Context, database string) (address, secret string, err error) {
	var db appv1alpha1.RedisEnterpriseDatabase
	if err := c.Get(ctx, c.Key(database), &db); err != nil {
		return "", "", err
	}
	var service corev1.Service
	if err := c.Get(ctx, c.Key(database), &service); err != nil {
		return "", "", err
	}
	if len(service.Spec.Ports) == 0 {
		return "", "", fmt.Errorf("service %s has no port", database)
	}
	if secret = db.Spec.DatabaseSecretName; secret == "" {
		secret = names.DatabaseSecret(database)
	}
	host := database + "." + c.Namespace + ".svc.cluster.local"
	return net.JoinHostPort(host, strconv.Itoa(int(service.Spec.Ports[0].Port))), secret, nil
}

// clientPod meets the restricted Pod Security standard; the password reaches it as a file.
func (c *Cluster) clientPod(name string, image Image, secret string, args ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: name, Labels: map[string]string{names.LabelApp: ClientLabel}},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			AutomountServiceAccountToken:  ptr.To(false),
			EnableServiceLinks:            ptr.To(false),
			TerminationGracePeriodSeconds: ptr.To[int64](2),
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](1001), RunAsGroup: ptr.To[int64](1001),
				FSGroup: ptr.To[int64](1001), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: clientContainer, Image: image.String(), Command: []string{redisload}, Args: args,
				VolumeMounts: []corev1.VolumeMount{{Name: "password", MountPath: passwordDir, ReadOnly: true}, {Name: "stop", MountPath: stopDir}},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true),
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
			Volumes: []corev1.Volume{
				{Name: "password", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret, DefaultMode: ptr.To[int32](0o440)}}},
				{Name: "stop", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
		},
	}
}

// RemovePod removes a pod that may not be there, and waits until it is gone.
func (c *Cluster) RemovePod(ctx context.Context, name string) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: name}}
	if err := client.IgnoreNotFound(c.Delete(ctx, pod)); err != nil {
		return err
	}
	return c.quietly().AwaitGone(ctx, pod, time.Minute)
}

// awaitWrites waits for the first line of progress that tells of acknowledged writes.
func (w *Writer) awaitWrites(ctx context.Context) error {
	return w.cluster.quietly().Await(ctx, "pod/"+w.pod, 2*time.Minute, func() (bool, string, error) {
		phase, err := w.cluster.phase(ctx, w.pod)
		if err != nil || phase == corev1.PodFailed {
			logs, _ := w.cluster.Logs(ctx, w.pod)
			return false, string(phase), fmt.Errorf("the client ended at once: %w\n%s", err, logs)
		}
		last, err := w.Progress(ctx)
		if err != nil || last == "" {
			return notYet(string(phase)) // there is no container yet
		}
		return !strings.Contains(last, "acknowledged 0 "), last, nil
	})
}

// Progress is the last line in which the writer told how far it is.
func (w *Writer) Progress(ctx context.Context) (string, error) {
	logs, err := w.cluster.Logs(ctx, w.pod)
	last := ""
	for line := range strings.Lines(logs) {
		if strings.Contains(line, "acknowledged ") {
			last = strings.TrimSpace(line)
		}
	}
	return last, err
}

// Finish tells the writer to stop, waits until it has read everything back, and returns its report.
func (w *Writer) Finish(ctx context.Context) (load.Report, error) {
	if err := w.cluster.execIn(ctx, w.pod, clientContainer, redisload, "stop", "--stop-file="+stopFile); err != nil {
		return load.Report{}, fmt.Errorf("stopping the client: %w", err)
	}
	// A client that has lost writes ends with 1, and its report tells more than that.
	ended := w.cluster.Await(ctx, "pod/"+w.pod, 2*time.Minute, func() (bool, string, error) { return w.cluster.finished(ctx, w.pod) })
	logs, err := w.cluster.Logs(ctx, w.pod)
	if err != nil {
		return load.Report{}, errors.Join(ended, err)
	}
	report, err := readReport(logs)
	if err != nil {
		return load.Report{}, errors.Join(ended, err)
	}
	if !report.Verified {
		return report, fmt.Errorf("the client could not read everything back: %w", ended)
	}
	return report, nil
}

// readReport finds the report among the lines of a client's log.
func readReport(logs string) (load.Report, error) {
	var text bytes.Buffer
	inside := false
	for lines := bufio.NewScanner(strings.NewReader(logs)); lines.Scan(); {
		line := lines.Text()
		if line == "{" {
			inside = true
			text.Reset()
		}
		if inside {
			text.WriteString(line + "\n")
		}
		inside = inside && line != "}"
	}
	var report load.Report
	if err := json.Unmarshal(text.Bytes(), &report); err != nil {
		return report, fmt.Errorf("the client left no report (%w); its log:\n%s", err, logs)
	}
	return report, nil
}

func (c *Cluster) phase(ctx context.Context, pod string) (corev1.PodPhase, error) {
	var p corev1.Pod
	err := c.Get(ctx, c.Key(pod), &p)
	return p.Status.Phase, err
}

func (c *Cluster) finished(ctx context.Context, pod string) (bool, string, error) {
	phase, err := c.phase(ctx, pod)
	if err != nil {
		return false, "", err
	}
	if phase == corev1.PodFailed {
		logs, _ := c.Logs(ctx, pod)
		return false, string(phase), fmt.Errorf("the client failed:\n%s", logs)
	}
	return phase == corev1.PodSucceeded, string(phase), nil
}

// execIn runs a program in a container of a pod.
func (c *Cluster) execIn(ctx context.Context, pod, container string, command ...string) error {
	request := c.Core.CoreV1().RESTClient().Post().Resource("pods").Namespace(c.Namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(c.Config, "POST", request.URL())
	if err != nil {
		return err
	}
	var output bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &output, Stderr: &output}); err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, strings.TrimSpace(output.String()))
	}
	return nil
}
