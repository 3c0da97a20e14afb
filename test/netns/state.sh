# A node's network with one of everything that ip and bridge print: interfaces of every kind that the kernel has, addresses, neighbours, routes of
# every type, rules, a bridge with VLANs, multicast groups and a forwarding table, VXLAN with VTEPs, tunnels with IPsec. Run in an empty network
# namespace. A kernel without one of the kinds leaves it out: every command stands for itself.
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
ip link set lo up
ip link add br0 type bridge
ip link set br0 type bridge vlan_filtering 1
ip link set br0 type bridge mcast_querier 1
ip link add brstp type bridge stp_state 1 forward_delay 400 priority 100
for port in 1 2 3; do
  ip link add "pod$port" type veth peer name "peer$port"
  ip link set "pod$port" master br0
  ip link set "pod$port" up
  ip link set "peer$port" up
done
ip link set pod2 type bridge_slave hairpin on guard on cost 12 priority 7 isolated on neigh_suppress on
ip link set pod1 alias 'to a pod' txqueuelen 50
ip link set pod3 address 02:00:00:00:00:33 mtu 1450
ip link set br0 up
ip link set brstp up
ip link add flannel.1 type vxlan id 1 local 192.0.2.1 dev pod3 dstport 8472 nolearning
ip link add vxgroup type vxlan id 7 group 239.1.1.1 dev pod3 dstport 4789 ttl 3
ip link add vxext type vxlan dstport 4790 external
ip link add vx6 type vxlan id 9 remote 2001:db8::9 local 2001:db8::1 dstport 4791 udp6zerocsumtx
ip link add gen0 type geneve id 5 remote 192.0.2.9
ip link add tun4 type ipip remote 192.0.2.7 local 192.0.2.1 ttl 64
ip link add sit4 type sit remote 192.0.2.7 local 192.0.2.1
ip link add gre4 type gre remote 192.0.2.7 local 192.0.2.1 key 9
ip link add wg0 type wireguard
ip link add dum0 type dummy
ip link add mv0 link pod3 type macvlan mode bridge
ip link add iv0 link pod3 type ipvlan mode l3
ip link add vlan5 link pod3 type vlan id 5
ip link add vrf9 type vrf table 9
ip link add bond0 type bond mode active-backup miimon 100
ip link add ifb0 type ifb
ip tuntap add tap0 mode tap
for link in flannel.1 vxgroup gen0 tun4 gre4 wg0 dum0 mv0 vlan5 vrf9 peer1; do ip link set "$link" up; done
ip addr add 192.0.2.1/24 brd + dev pod3
ip addr add 10.244.1.1/24 brd 10.244.1.255 dev br0
ip addr add 10.244.1.2/24 dev br0 label br0:vip
ip addr add 10.244.1.3/24 dev br0 valid_lft 3600 preferred_lft 1800
ip addr add 10.99.0.1 peer 10.99.0.2/32 dev tun4
ip addr add 2001:db8::1/64 dev pod3 nodad
ip addr add fd00::1/64 dev br0 nodad noprefixroute
ip addr add fd00::2/64 dev br0 preferred_lft 0
ip route add default via 192.0.2.254 dev pod3 metric 100
ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
ip route add blackhole 10.1.0.0/16
ip route add unreachable 10.2.0.0/16 metric 5
ip route add prohibit 10.3.0.0/16
ip route add throw 10.4.0.0/16 table 100
ip route add 10.5.0.0/16 nexthop via 192.0.2.253 dev pod3 weight 3 nexthop via 192.0.2.252 dev pod3 weight 1
ip route add 10.6.0.0/16 via 192.0.2.253 mtu 1400 advmss 1360 initcwnd 20 src 192.0.2.1 proto static
ip route add 10.7.0.0/16 dev pod3 scope link mtu lock 1300 table 100 proto bird
ip route add 10.8.0.0/16 via inet6 2001:db8::fe dev pod3
ip route add 10.9.0.0/16 encap ip id 100 dst 192.0.2.9 dev tun4
ip route add 10.10.0.0/16 dev pod3 tos 0x10 realm 5
ip nexthop add id 1 via 192.0.2.251 dev pod3
ip nexthop add id 2 via 192.0.2.250 dev pod3
ip nexthop add id 10 group 1,3/2
ip route add 10.11.0.0/16 nhid 10
ip route add multicast 239.0.0.0/8 dev pod3 table local
ip route add local 10.12.0.1 dev lo table local
ip -6 route add default via 2001:db8::fe dev pod3 pref high
ip -6 route add blackhole fd01::/16
ip -6 route add unreachable fd02::/16 metric 9
ip -6 route add fd03::/16 from fd00::/64 via 2001:db8::fd dev pod3
ip -6 route add fd04::/16 nexthop via 2001:db8::fc dev pod3 weight 2 nexthop via 2001:db8::fb dev pod3
ip -6 route add fd05::/16 via 2001:db8::fd dev pod3 expires 3600 mtu 1300
ip rule add pref 10 from 10.244.0.0/16 to 10.96.0.0/12 lookup 100
ip rule add pref 11 fwmark 0x200/0xf00 lookup 200 suppress_prefixlength 0
ip rule add pref 12 not fwmark 0x10 iif pod1 oif gone0 lookup main
ip rule add pref 13 uidrange 1000-2000 ipproto tcp sport 1000-2000 dport 80 lookup 100
ip rule add pref 14 to 10.3.0.0/16 prohibit
ip rule add pref 15 to 10.4.0.0/16 blackhole
ip rule add pref 16 to 10.4.0.0/16 unreachable
ip rule add pref 17 goto 100
ip rule add pref 18 goto 999
ip rule add pref 19 nop
ip rule add pref 100 tos 0x10 lookup 100 protocol static
ip rule add pref 101 from all lookup 100 suppress_ifgroup default
ip rule add pref 102 from 10.0.0.0/8 lookup main realms 3/4
ip rule add pref 1000 l3mdev
ip -6 rule add pref 10 from fd00::/64 lookup 100
ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe dev pod3 nud permanent
ip neigh add 192.0.2.253 lladdr 02:00:00:00:00:fd dev pod3 nud stale
ip neigh add 192.0.2.252 dev pod3 nud failed
ip neigh add 192.0.2.251 lladdr 02:00:00:00:00:fb dev pod3 nud noarp extern_learn
ip neigh add proxy 192.0.2.77 dev pod3
ip neigh add 10.244.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud permanent protocol static
ip neigh add 2001:db8::fe lladdr 02:00:00:00:00:fe dev pod3 nud permanent router
bridge fdb add 02:00:00:00:00:02 dev flannel.1 dst 192.0.2.2 self permanent
bridge fdb add 02:00:00:00:00:03 dev flannel.1 dst 192.0.2.3 port 4789 vni 8 self
bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.0.2.4 self
bridge fdb add 02:00:00:00:00:04 dev vxext dst 192.0.2.5 src_vni 11 self
bridge fdb add 02:00:00:00:00:05 dev flannel.1 nhid 20 self
bridge fdb add 02:00:00:00:00:11 dev pod1 master static
bridge fdb add 02:00:00:00:00:12 dev pod1 master static vlan 1 sticky
bridge fdb add 02:00:00:00:00:13 dev pod1 master dynamic extern_learn
bridge fdb add 02:00:00:00:00:14 dev br0 self local
bridge vlan add dev pod1 vid 10 pvid untagged
bridge vlan add dev pod1 vid 20-30
bridge vlan add dev pod2 vid 40 untagged
bridge vlan add dev br0 vid 10 self
bridge vlan del dev pod3 vid 1
bridge mdb add dev br0 port pod1 grp 239.1.1.5 permanent vid 10
bridge mdb add dev br0 port pod2 grp 239.1.1.6 temp
bridge mdb add dev br0 port pod2 grp ff05::5 permanent
bridge mdb add dev br0 port pod1 grp 239.1.1.7 src 192.0.2.9 permanent
bridge link set dev pod3 mcast_router 2
ip link set pod1 group 7
ip link property add dev pod1 altname to-the-first-pod
ip maddr add 33:33:00:00:00:99 dev pod3
ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100 mode tunnel reqid 5 enc 'cbc(aes)' 0x00112233445566778899aabbccddeeff auth 'hmac(sha256)' 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
ip xfrm policy add src 10.244.1.0/24 dst 10.244.2.0/24 dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 5 mode tunnel
