about="the DNS Service's selector matches no pod"
truth="dns|dns-service-without-endpoints|service kube-system/kube-dns selector"
symptom="no name resolves; the ClusterIP answers"
inject() { kubectl patch svc -n kube-system kube-dns -p '{"spec":{"selector":{"k8s-app":"coredns"}}}'; }
bites() { unresolvable && answers svc; }
revert() { kubectl patch svc -n kube-system kube-dns -p '{"spec":{"selector":{"k8s-app":"kube-dns"}}}'; }
