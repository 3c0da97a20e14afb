about="conntrack entries pin the client's DNS flows to a CoreDNS pod that is gone; the client uses only 64 source ports, so every lookup meets one"
truth="service|stale-conntrack-entry|n1 udp 10.96.0.10:53 -> 10.244.2.250"
symptom="no name resolves in this pod; the ClusterIP of my-service answers"
pin() { local ip p; ip=$(kubectl get pod client -o jsonpath='{.status.podIP}'); in_pod default/client sysctl -qw net.ipv4.ip_local_port_range="40000 40063"
  for p in $(seq 40000 40063); do host n1 conntrack -I -p "$1" -s "$ip" -d "$2" --sport "$p" --dport "$3" -r 10.244.2.250 -q "$ip" --reply-port-src "$4" --reply-port-dst "$p" -t 3600 -u SEEN_REPLY,ASSURED "${@:5}"; done; }
inject() { pin udp 10.96.0.10 53 53; }
bites() { unresolvable && answers svc; }
revert() { host n1 conntrack -D -r 10.244.2.250; new_client; }
