about="kube-proxy is gone from the client's node, and the Service has got a new ClusterIP since"
truth="service|kube-proxy-not-running|n1"
symptom="the ClusterIP times out on n1; the pods answer by their addresses"
inject() { kubectl label node n1 noproxy=1 --overwrite
  manifest kube-proxy '.[] | select(.kind == "DaemonSet") | .spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms = [{matchExpressions: [{key: "noproxy", operator: "DoesNotExist"}]}]'
  kubectl rollout status -n kube-system ds/kube-proxy --timeout=60s
  kubectl delete svc my-service; apply my-service; sleep 31; } # the old address stays in CoreDNS's cache for 30 s
bites() { [ -z "$(pids_on n1 kube-proxy)" ] && fails svc && fails name && answers n1; }
revert() { kubectl label node n1 noproxy-; manifest kube-proxy '.[] | select(.kind == "DaemonSet")'; kubectl rollout status -n kube-system ds/kube-proxy --timeout=60s; }
