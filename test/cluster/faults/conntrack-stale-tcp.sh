about="conntrack entries pin the client's connections to a backend that is gone; the client uses only 64 source ports"
truth="service|stale-conntrack-entry|n1 tcp default/my-service -> 10.244.2.250"
symptom="the ClusterIP does not answer this pod; names resolve, the pods answer"
inject() { pin_client_flows tcp "$(cluster_ip)" 80 8080 --state ESTABLISHED; }
bites() { fails svc && answers n2 && resolves; }
revert() { host n1 conntrack -D -r 10.244.2.250; new_client; }
