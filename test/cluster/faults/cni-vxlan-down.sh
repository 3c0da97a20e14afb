about="the tunnel device of the client's node is down"
truth="cni|tunnel-device-down|n1 flannel.1"
backends=vxlan
symptom="the endpoints on n2 and n3 do not answer; the one on n1 does"
inject() { host n1 ip link set flannel.1 down; }
bites() { fails n2 && fails n3 && answers n1; }
revert() { host n1 ip link set flannel.1 up; fresh_agent n1 flannel; }
