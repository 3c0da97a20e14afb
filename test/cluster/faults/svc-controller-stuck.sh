about="the controller manager hangs, and the EndpointSlices of the Service are gone"
truth="service|endpoints-not-listed|service default/my-service"
symptom="the ClusterIP refuses; the pods are ready and answer on 8080"
inject() { freeze cp kube-controller; kubectl delete endpointslices -l kubernetes.io/service-name=my-service; sleep 2; }
bites() { refused svc && answers n1 && answers n2; }
revert() { thaw cp kube-controller; sleep 5; kubectl rollout status deploy/web --timeout=60s; }
