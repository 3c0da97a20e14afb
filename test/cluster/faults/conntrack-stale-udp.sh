about="conntrack entries pin the client's DNS flows to a CoreDNS pod that is gone; the client uses only 64 source ports, so every lookup meets one"
truth="service|stale-conntrack-entry|n1 udp 10.96.0.10:53 -> 10.244.2.250"
symptom="no name resolves in this pod; the ClusterIP of my-service answers"
inject() { pin_client_flows udp 10.96.0.10 53 53; }
bites() { unresolvable && answers svc; }
revert() { host n1 conntrack -D -r 10.244.2.250; new_client; }
