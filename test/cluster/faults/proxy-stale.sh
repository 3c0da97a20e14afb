about="kube-proxy on the client's node is stuck, and every backend has been replaced since"
truth="service|service-rules-stale|n1"
symptom="the ClusterIP leads to pods that are gone; the new pods answer by their addresses"
inject() { stop_proxy_sync n1; web '.spec.template.metadata.annotations.round = "'"$RANDOM"'"'; }
bites() { fails svc && answers n2; }
revert() { thaw n1 kube-proxy; }
