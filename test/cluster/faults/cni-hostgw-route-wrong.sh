about="the client's node sends n2's pods to n3 (flannel checks that a route is there every 10 s, and is frozen so that it does not)"
truth="cni|pod-route-missing|n1 10.244.2.0/24 via 192.168.1.13"
backends=host-gw
symptom="the endpoint on n2 does not answer; the others do"
inject() { freeze n1 flannel; freeze n3 flannel; host n1 ip route replace 10.244.2.0/24 via 192.168.1.13 dev eth0; host n3 ip route replace blackhole 10.244.2.0/24; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { host n1 ip route replace 10.244.2.0/24 via 192.168.1.12 dev eth0; host n3 ip route del blackhole 10.244.2.0/24; host n3 ip route replace 10.244.2.0/24 via 192.168.1.12 dev eth0; thaw n1 flannel; thaw n3 flannel; }
