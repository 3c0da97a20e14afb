about="targetPort is a name that no container declares"
truth="service|named-port-missing|service default/my-service targetPort web"
symptom="the ClusterIP refuses; the pods answer on 8080"
inject() { kubectl patch svc my-service -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":"web"}]}}'; }
bites() { refused svc && answers n2; }
revert() { kubectl patch svc my-service -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":"http"}]}}'; }
