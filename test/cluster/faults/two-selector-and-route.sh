about="two faults at once: a selector that matches nothing, and no route to n2's pods"
both=(svc-selector cni-route-missing)
backends=vxlan
symptom="the ClusterIP refuses, and the web pod on n2 does not answer by its address"
bites() { refused svc && fails n2 && answers n3; }
