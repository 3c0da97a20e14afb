about="n2's link is cut (the controller manager is frozen, so that n2's endpoints stay in the slices as they do for the first 40 s of a real outage)"
truth="cni|node-unreachable|n2"
symptom="the endpoint on n2 does not answer; the others do"
inject() { freeze cp kube-controller; host cp ip link set to-n2 down; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { host cp ip link set to-n2 up; host n2 ip route replace default via 192.168.1.1; sleep 8; thaw cp kube-controller; }
