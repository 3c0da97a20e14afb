about="an EndpointSlice made by hand lists an address beside the pods that no pod has (a pod that is long gone)"
truth="service|endpoint-without-pod|EndpointSlice default/my-service-by-hand 10.244.2.250"
symptom="one of four requests to the ClusterIP fails after three seconds: no route to host"
inject() { kubectl create -f - <<<'{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"my-service-by-hand","labels":{"kubernetes.io/service-name":"my-service"}},"addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],"endpoints":[{"addresses":["10.244.2.250"],"conditions":{"ready":true},"nodeName":"n2"}]}'; sleep 3; }
bites() { sometimes svc && answers n1 && answers n2 && answers n3; }
revert() { kubectl delete endpointslice my-service-by-hand; sleep 2; }
