about="n2 has no route back to the client's node's pods"
truth="cni|pod-route-missing|n2 10.244.1.0/24"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n2 ip route del 10.244.1.0/24; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { host n2 ip route replace 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink; }
