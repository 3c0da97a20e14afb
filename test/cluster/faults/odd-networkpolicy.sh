about="a NetworkPolicy denies everything, and flannel does not enforce policies"
truth="healthy|-|NetworkPolicy default/deny-all has no effect here"
expect=healthy
symptom="none: everything answers"
inject() { kubectl create -f - <<<'{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny-all","labels":{"made-by":"fault"}},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}}'; }
bites() { kubectl get networkpolicy deny-all >/dev/null && answers name && answers svc; }
revert() { kubectl delete networkpolicy deny-all; }
