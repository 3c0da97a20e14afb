about="the Service has no selector, and nobody made an EndpointSlice for it"
truth="service|endpoints-not-listed|service default/my-service"
symptom="the ClusterIP refuses; the pods answer on 8080"
inject() { kubectl patch svc my-service --type=json -p '[{"op":"remove","path":"/spec/selector"}]'; sleep 2; kubectl delete endpoints my-service; kubectl delete endpointslices -l kubernetes.io/service-name=my-service; sleep 2; }
bites() { refused svc && answers n1 && answers n2; }
revert() { kubectl patch svc my-service -p '{"spec":{"selector":{"app":"web"}}}'; sleep 3; }
