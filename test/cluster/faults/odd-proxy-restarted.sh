about="kube-proxy on the client's node has just been started again"
truth="healthy|-|kube-proxy on n1 is seconds old"
expect=healthy
symptom="none: everything answers"
inject() { fresh_agent n1 kube-proxy; }
bites() { answers name && answers svc; }
revert() { :; }
