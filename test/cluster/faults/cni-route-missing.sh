about="the client's node has no route to n2's pods"
truth="cni|pod-route-missing|n1 10.244.2.0/24"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n1 ip route del 10.244.2.0/24; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { host n1 ip route replace 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink; }
