about="the container declares no port, and targetPort is the number it listens on"
truth="healthy|-|containerPort is documentation"
expect=healthy
symptom="none: everything answers"
inject() { kubectl patch svc my-service -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":8080}]}}'; web 'del(.spec.template.spec.containers[0].ports)'; }
bites() { answers name && answers svc && answers n2; }
revert() { kubectl patch svc my-service -p '{"spec":{"ports":[{"name":"http","port":80,"targetPort":"http"}]}}'; web; }
