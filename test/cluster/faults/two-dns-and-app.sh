about="two faults at once: no CoreDNS, and backends that listen on loopback"
both=(dns-coredns-zero app-loopback)
symptom="no name resolves, and the ClusterIP refuses"
bites() { unresolvable && refused svc; }
