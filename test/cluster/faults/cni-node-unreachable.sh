about="n1 and n2 cannot reach each other at all; both reach the API server, so both stay Ready"
truth="cni|node-unreachable|n1 <-> n2"
symptom="the endpoint on n2 does not answer; the others do"
inject() { underlay_drop 'iifname { "to-n1", "to-n2" } oifname { "to-n1", "to-n2" }'; }
bites() { fails n2 && answers n3 && answers n1; }
revert() { underlay_pass; }
