about="a DROP in the legacy iptables backend, which the node's iptables does not show"
truth="cni|forward-drop|n1 filter FORWARD of iptables-legacy"
symptom="the endpoints on n2 and n3 time out"
inject() { host n1 iptables-legacy -A FORWARD -s 10.244.0.0/16 -o eth0 -j ACCEPT; host n1 iptables-legacy -A FORWARD -s 10.244.0.0/16 -j DROP; }
bites() { times_out n2 && times_out n3; }
revert() { host n1 iptables-legacy -F FORWARD; }
