about="the backends listen on 127.0.0.1 only"
truth="app|listening-on-loopback-only|deployment default/web"
symptom="the ClusterIP and the pods' addresses refuse"
inject() { web 'del(.spec.template.spec.containers[0].readinessProbe) | '"$(web_command 'sub("-p 8080"; "-p 127.0.0.1:8080")')"; }
bites() { refused svc && refused n2; }
revert() { web; }
