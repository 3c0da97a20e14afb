about="the Service's selector matches no pod"
truth="service|selector-matches-no-pod|service default/my-service"
symptom="the ClusterIP refuses"
inject() { kubectl patch svc my-service -p '{"spec":{"selector":{"app":"webb"}}}'; }
bites() { refused svc; }
revert() { kubectl patch svc my-service -p '{"spec":{"selector":{"app":"web"}}}'; }
