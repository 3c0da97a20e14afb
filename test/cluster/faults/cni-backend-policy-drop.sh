about="a policy's rule on a backend's node drops what is addressed to that pod"
truth="cni|backend-node-policy-drop|n2 filter FORWARD"
symptom="the endpoint on n2 times out; the others answer; its kubelet finds it ready"
inject() { local ip; ip=$(endpoint n2); place "cni|backend-node-policy-drop|n2 filter FORWARD -d $ip tcp 8080"; host n2 iptables -I FORWARD -d "$ip" -p tcp --dport 8080 -j DROP; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 iptables -D FORWARD 1; }
