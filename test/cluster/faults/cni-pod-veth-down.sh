about="the node's end of a backend's veth is down (no readiness probe, so that the endpoint stays)"
truth="cni|pod-veth-down|n2, the veth of the web pod"
symptom="the endpoint on n2 does not answer; the others do"
inject() { web_without_probe; local pod veth; pod=$(endpoint_pod n2); veth=$(veth_of "default/$pod"); place "cni|pod-veth-down|n2 $veth of pod default/$pod"; host n2 ip link set "$veth" down; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { web; }
