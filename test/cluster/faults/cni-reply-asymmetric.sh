about="n2 sends what is for n1 by the router of the network, which forwards nothing between the nodes; n1 sends directly"
truth="cni|node-unreachable|n2 -> n1, by the router"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n2 ip route replace 192.168.1.11 via 192.168.1.1; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 ip route del 192.168.1.11 via 192.168.1.1; }
