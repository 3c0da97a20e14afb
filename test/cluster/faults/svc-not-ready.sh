about="the backends run and none is ready: the readiness probe asks a port that nothing listens on"
truth="service|no-ready-endpoints|deployment default/web readinessProbe port 9999"
symptom="the ClusterIP refuses; the pods answer by their addresses"
inject() { manifest my-service '.[] | select(.kind == "Deployment") | .spec.strategy = {type: "Recreate"} | .spec.template.spec.containers[0].readinessProbe.tcpSocket.port = 9999'; sleep 5; }
bites() { refused svc && answers n1 && answers n2; }
revert() { web; }
