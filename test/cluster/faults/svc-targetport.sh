about="targetPort is a number that nothing listens on"
truth="service|target-port-not-listening|service default/my-service targetPort 8081"
symptom="the ClusterIP refuses; the pods answer on 8080"
inject() { kubectl patch svc my-service -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":8081}]}}'; }
bites() { refused svc && answers n2; }
revert() { kubectl patch svc my-service -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":"http"}]}}'; }
