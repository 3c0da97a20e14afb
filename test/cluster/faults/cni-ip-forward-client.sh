about="ip_forward is 0 on the client's node"
truth="cni|ip-forward-off|n1 net.ipv4.ip_forward=0"
symptom="the endpoints on n2 and n3 time out; the one on n1 answers"
inject() { host n1 sysctl -qw net.ipv4.ip_forward=0; }
bites() { times_out n2 && times_out n3 && answers n1; }
revert() { host n1 sysctl -qw net.ipv4.ip_forward=1; }
