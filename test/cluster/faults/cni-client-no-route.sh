about="the client pod has no route out of its own subnet"
truth="cni|pod-default-route-missing|pod default/client"
symptom="nothing but the node's own subnet can be reached, no name resolves"
inject() { in_pod default/client ip route del default; in_pod default/client ip route del 10.244.0.0/16; }
bites() { fails n2 && fails svc && unresolvable && answers n1; }
revert() { new_client; }
