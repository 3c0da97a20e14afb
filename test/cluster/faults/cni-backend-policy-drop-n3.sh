about="as cni-backend-policy-drop, on n3"
truth="cni|backend-node-policy-drop|n3 filter FORWARD"
symptom="the endpoint on n3 times out; the others answer"
inject() { local ip; ip=$(endpoint n3); place "cni|backend-node-policy-drop|n3 filter FORWARD -d $ip tcp 8080"; host n3 iptables -I FORWARD -d "$ip" -p tcp --dport 8080 -j DROP; }
bites() { times_out n3 && answers n2 && answers n1; }
revert() { host n3 iptables -D FORWARD 1; }
