about="the backends listen on 9090, the container declares 8080 and the Service sends there"
truth="app|listening-on-wrong-port|deployment default/web listens on 9090"
symptom="the ClusterIP and the pods' port 8080 refuse"
inject() { web 'del(.spec.template.spec.containers[0].readinessProbe) | '"$(web_command 'sub("-p 8080"; "-p 9090")')"; }
bites() { refused svc && refused n2; }
revert() { web; }
