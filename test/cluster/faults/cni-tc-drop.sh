about="a tc program on n2's tunnel device, like those of eBPF data paths and their policies, drops what comes from n1's pods; no table shows it"
truth="cni|packets-lost-on-node|n2 tc ingress of flannel.1"
backends=vxlan
diagnose="svc/my-service --from pod/client --capture"
symptom="the endpoint on n2 times out; the others answer"
# classic BPF: the source address under /24 is 10.244.1.0 -> 2 (TC_ACT_SHOT), else 0 (TC_ACT_OK)
inject() { host n2 tc qdisc add dev flannel.1 clsact; host n2 tc filter add dev flannel.1 ingress bpf da bytecode '5,32 0 0 26,84 0 0 4294967040,21 0 1 183763200,6 0 0 2,6 0 0 0'; }
bites() { times_out n2 && answers n3 && answers n1; }
revert() { host n2 tc qdisc del dev flannel.1 clsact; }
