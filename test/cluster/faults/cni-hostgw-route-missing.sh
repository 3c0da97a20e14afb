about="the client's node has lost the route to n2's pods, and flannel is stuck"
truth="cni|pod-route-missing|n1 10.244.2.0/24"
backends=host-gw
symptom="the endpoint on n2 does not answer; the others do"
inject() { freeze n1 flannel; host n1 ip route del 10.244.2.0/24; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { host n1 ip route replace 10.244.2.0/24 via 192.168.1.12 dev eth0; thaw n1 flannel; }
