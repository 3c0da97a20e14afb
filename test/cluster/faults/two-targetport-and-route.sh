about="two faults at once: a targetPort that nothing listens on, and no route to n2's pods"
both=(svc-targetport cni-route-missing)
backends=vxlan
symptom="the ClusterIP does not answer, and the web pod on n2 does not answer by its address"
bites() { fails svc && fails n2 && answers n3; }
