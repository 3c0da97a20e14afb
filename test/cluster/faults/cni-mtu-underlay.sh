about="the network between the nodes takes 1400 bytes to and from n2 and says nothing (segmentation offload is off there, as a real wire's packets are)"
truth="cni|mtu-black-hole|between the nodes and n2"
backends=vxlan
symptom="long answers from n2 hang, short ones arrive; n3 answers at length"
inject() { host n2 ethtool -K eth0 tso off gso off gro off tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off; underlay_drop ip saddr 192.168.1.12 meta length gt 1400; }
bites() { answers n2 && times_out n2 big && answers n3 big; }
revert() { underlay_pass; host n2 ethtool -K eth0 tso on gso on gro on tx-udp_tnl-segmentation on tx-udp_tnl-csum-segmentation on; }
