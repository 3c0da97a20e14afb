about="n1 drops every twentieth SYN that it forwards to a backend: the request is answered a second later, when the SYN was sent again"
truth="cni|-|n1 filter FORWARD tcp 8080 statistic nth 20"
symptom="one request of twenty takes a second longer"
expect=watch
inject() { host n1 iptables -I FORWARD -p tcp --dport 8080 --syn -m statistic --mode nth --every 20 --packet 19 -j DROP; }
bites() { local i s; for i in $(seq 21); do read -r _ s < <(request svc); [[ $s != 0.* ]] && return; done; return 1; }
revert() { host n1 iptables -D FORWARD 1; }
