about="n1 drops one of twenty SYNs that it forwards to a backend, each by chance: the request is answered a second later, when the SYN was sent again"
truth="cni|-|n1 filter FORWARD tcp 8080 statistic random 0.05"
symptom="one request of twenty or so takes a second longer"
expect=watch
inject() { host n1 iptables -I FORWARD -p tcp --dport 8080 --syn -m statistic --mode random --probability 0.05 -j DROP; }
bites() { local i s; for i in $(seq 90); do read -r _ s < <(request svc); [[ $s != 0.* ]] && return; done; return 1; }
revert() { host n1 iptables -D FORWARD 1; }
