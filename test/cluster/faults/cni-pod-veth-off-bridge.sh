about="the node's end of a backend's veth is not a port of the bridge (no readiness probe, so that the endpoint stays)"
truth="cni|pod-veth-not-on-bridge|n2, the veth of the web pod"
symptom="the endpoint on n2 does not answer; the others do"
inject() { web_without_probe; local pod veth; pod=$(endpoint_pod n2); veth=$(veth_of "default/$pod"); place "cni|pod-veth-not-on-bridge|n2 $veth of pod default/$pod"; host n2 ip link set "$veth" nomaster; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { web; }
