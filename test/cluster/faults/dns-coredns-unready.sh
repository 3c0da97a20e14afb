about="every CoreDNS pod runs and none is ready: the readiness probe asks a port that nothing listens on"
truth="dns|no-ready-dns-pods|deployment kube-system/coredns readinessProbe port 8182"
symptom="no name resolves; the ClusterIP answers"
inject() { coredns '.spec.template.spec.containers[0].readinessProbe.httpGet.port = 8182'; }
bites() { unresolvable && answers svc && [ "$(kubectl get pods -n kube-system -l k8s-app=kube-dns --field-selector status.phase=Running -o name | wc -l)" = 2 ]; }
revert() { coredns; dns_ready; }
