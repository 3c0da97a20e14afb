about="the tunnel device of one backend's node is down"
truth="cni|tunnel-device-down|n2 flannel.1"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n2 ip link set flannel.1 down; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 ip link set flannel.1 up; fresh_agent n2 flannel; }
