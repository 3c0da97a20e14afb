about="the client's node has a wrong MAC for n2's VTEP in its neighbour table"
truth="cni|tunnel-neighbour-wrong|n1 flannel.1 10.244.2.0"
backends=vxlan
symptom="the endpoint on n2 times out; the others answer"
inject() { host n1 ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n1 ip neigh replace 10.244.2.0 lladdr "$(vtep_mac n2)" dev flannel.1 nud permanent; }
