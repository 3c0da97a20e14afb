about="conntrack entries pin the client's connections to a backend that is gone; the client uses only 64 source ports"
truth="service|stale-conntrack-entry|n1 tcp default/my-service -> 10.244.2.250"
symptom="the ClusterIP does not answer this pod; names resolve, the pods answer"
pin() { local ip p; ip=$(kubectl get pod client -o jsonpath='{.status.podIP}'); in_pod default/client sysctl -qw net.ipv4.ip_local_port_range="40000 40063"
  for p in $(seq 40000 40063); do host n1 conntrack -I -p tcp -s "$ip" -d "$(cluster_ip)" --sport "$p" --dport 80 -r 10.244.2.250 -q "$ip" --reply-port-src 8080 --reply-port-dst "$p" -t 3600 -u SEEN_REPLY,ASSURED --state ESTABLISHED; done; }
inject() { pin; }
bites() { fails svc && answers n2 && resolves; }
revert() { host n1 conntrack -D -r 10.244.2.250; new_client; }
