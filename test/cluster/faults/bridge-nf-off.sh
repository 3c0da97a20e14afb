about="bridge-nf-call-iptables is 0: replies of an endpoint on the client's own node are switched and never un-translated"
truth="service|bridge-nf-call-iptables-off|n1 net.bridge.bridge-nf-call-iptables=0"
symptom="some connections to the ClusterIP time out (those to the endpoint on n1); that endpoint answers by its address"
inject() { host n1 sysctl -qw net.bridge.bridge-nf-call-iptables=0; }
bites() { sometimes svc && answers n1; }
revert() { host n1 sysctl -qw net.bridge.bridge-nf-call-iptables=1; }
