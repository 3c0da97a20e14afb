about="the Service is headless, so its port is not translated: clients that use port 80 reach port 80 of the pods"
truth="service|headless-or-externalname-misread|service default/my-service clusterIP None, port 80, targetPort 8080"
symptom="http://my-service/ is refused; the pods answer on 8080"
inject() { kubectl delete svc my-service; kubectl create -f - <<<'{"apiVersion":"v1","kind":"Service","metadata":{"name":"my-service"},"spec":{"clusterIP":"None","selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"http"}]}}'; }
bites() { refused name && answers n2; }
revert() { kubectl delete svc my-service; apply my-service; }
