about="two faults at once: n2's firewall drops the tunnel, and a rule on n3 drops the backend there"
both=(cni-fw-vxlan cni-backend-policy-drop-n3)
backends=vxlan
symptom="only the endpoint on n1 answers"
bites() { times_out n2 && times_out n3 && answers n1; }
