about="ip_forward is 0 on one backend's node"
truth="cni|ip-forward-off|n2 net.ipv4.ip_forward=0"
symptom="the endpoint on n2 times out; the others answer"
inject() { host n2 sysctl -qw net.ipv4.ip_forward=0; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 sysctl -qw net.ipv4.ip_forward=1; }
