# Keys, certificates and kubeconfigs. Made once and kept, so that a kubeconfig someone
# copied still works after the cluster was down.
# shellcheck shell=bash

make_pki() {
  [ ! -e "$STATE/pki/done" ] || return 0
  say "making keys and certificates"
  rm -rf "$STATE/pki"
  mkdir -p "$STATE/pki"
  chmod 700 "$STATE/pki"
  (cd "$STATE/pki" && make_certificates && make_kubeconfigs) >"$STATE/log/pki.log" 2>&1 \
    || die "making certificates failed, see $STATE/log/pki.log"
  touch "$STATE/pki/done"
}

make_certificates() {
  set -e
  new_authority ca kubernetes-ca
  new_authority front-proxy-ca front-proxy-ca
  new_key sa
  openssl ec -in sa.key -pubout -out sa.pub
  new_certificate apiserver ca "/CN=kube-apiserver" serverAuth \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$NODE_IP,IP:$API_SERVICE_IP"
  new_certificate kubelet-server ca "/CN=$NODE_NAME" serverAuth "DNS:$NODE_NAME,DNS:localhost,IP:127.0.0.1,IP:$NODE_IP"
  new_certificate apiserver-kubelet-client ca "/O=system:masters/CN=kube-apiserver-kubelet-client" clientAuth
  new_certificate front-proxy-client front-proxy-ca "/CN=front-proxy-client" clientAuth
  new_certificate admin ca "/O=system:masters/CN=admin" clientAuth
  new_certificate controller-manager ca "/CN=system:kube-controller-manager" clientAuth
  new_certificate scheduler ca "/CN=system:kube-scheduler" clientAuth
  new_certificate proxy ca "/CN=system:kube-proxy" clientAuth
  new_certificate kubelet ca "/O=system:nodes/CN=system:node:$NODE_NAME" clientAuth
}

make_kubeconfigs() {
  local user
  for user in admin controller-manager scheduler proxy kubelet; do
    new_kubeconfig "$user"
  done
}

new_key() { (umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"); }

new_authority() {
  new_key "$1"
  openssl req -x509 -new -key "$1.key" -days 3650 -subj "/CN=$2" -out "$1.crt"
}

# new_certificate NAME AUTHORITY SUBJECT USAGE [ALTERNATIVE-NAMES]
new_certificate() {
  new_key "$1"
  {
    echo "basicConstraints=critical,CA:FALSE"
    echo "keyUsage=critical,digitalSignature,keyEncipherment"
    echo "extendedKeyUsage=$4"
    [ -z "${5:-}" ] || echo "subjectAltName=$5"
  } >"$1.ext"
  openssl req -new -key "$1.key" -subj "$3" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.crt"
  rm "$1.csr" "$1.ext"
}

new_kubeconfig() {
  (umask 077 && cat >"$1.kubeconfig") <<YAML
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: https://$NODE_IP:6443
    certificate-authority-data: $(base64 -w0 <ca.crt)
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 <"$1.crt")
    client-key-data: $(base64 -w0 <"$1.key")
contexts:
- name: local
  context: {cluster: local, user: $1}
current-context: local
YAML
}
