import type { IptablesTable } from '../case.ts';
import { clients, ports, servers, virtualAddresses } from '../pools.ts';
import type { Random } from '../random.ts';

/** Rules as programs make them that share a node, with random Services, published ports and policies. */
export const flavours: readonly ((random: Random) => IptablesTable[])[] = [kubeProxy, docker, ufw, mesh, policyAgent];

const table = (name: IptablesTable['name'], rules: string[], drops: string[] = []): IptablesTable => ({
  name,
  drops,
  chains: [...new Set(rules.flatMap((rule) => [/^-A (\S+)/.exec(rule)?.[1] ?? '', /-[jg] (\S+)/.exec(rule)?.[1] ?? '']))].filter(
    (chain) => !builtIn.has(chain),
  ),
  rules,
});

/** What stands behind `-A` and `-j` besides a program's own chains. */
const builtIn = new Set(
  'PREROUTING INPUT FORWARD OUTPUT POSTROUTING ACCEPT DROP RETURN REJECT MARK CONNMARK DNAT SNAT MASQUERADE REDIRECT LOG CT '.split(' '),
);

/** pkg/proxy/iptables/proxier.go of Kubernetes: ClusterIPs, a node port, affinity, hairpin, no endpoints. */
function kubeProxy(random: Random): IptablesTable[] {
  const nat = ['-A PREROUTING -j KUBE-SERVICES', '-A OUTPUT -j KUBE-SERVICES', '-A POSTROUTING -j KUBE-POSTROUTING'];
  const filter = [
    '-A INPUT -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES',
    '-A FORWARD -j KUBE-FORWARD',
    '-A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES',
    '-A OUTPUT -m conntrack --ctstate NEW -j KUBE-SERVICES',
    '-A INPUT -j KUBE-FIREWALL',
    '-A OUTPUT -j KUBE-FIREWALL',
    '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    '-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT',
    '-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  ];
  for (const [index, address] of virtualAddresses.entries()) {
    const protocol = random.pick(['tcp', 'udp']);
    const port = random.pick(ports);
    const endpoints = random.some(servers, 0.5).slice(0, 3);
    const front = `-d ${address}/32 -p ${protocol} -m ${protocol} --dport ${port}`;
    if (endpoints.length === 0) {
      filter.push(`-A KUBE-SERVICES ${front} -j REJECT --reject-with icmp-port-unreachable`);
      continue;
    }
    const isSticky = random.chance(0.2);
    nat.push(`-A KUBE-SERVICES ${front} -j KUBE-SVC-${index}`, `-A KUBE-SVC-${index} ! -s 10.1.0.0/24 ${front} -j KUBE-MARK-MASQ`);
    if (isSticky)
      for (const at of endpoints.keys())
        nat.push(
          `-A KUBE-SVC-${index} -m recent --rcheck --seconds 100 --reap --name SEP-${index}-${at} --rsource -j KUBE-SEP-${index}-${at}`,
        );
    for (const [at, endpoint] of endpoints.entries()) {
      const left = endpoints.length - at;
      nat.push(
        `-A KUBE-SVC-${index} ${left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `}-j KUBE-SEP-${index}-${at}`,
        `-A KUBE-SEP-${index}-${at} -s ${endpoint}/32 -j KUBE-MARK-MASQ`,
        `-A KUBE-SEP-${index}-${at} -p ${protocol} ${isSticky ? `-m recent --set --name SEP-${index}-${at} --rsource ` : ''}-m ${protocol} -j DNAT --to-destination ${endpoint}:8080`,
      );
    }
    if (index === 0) nat.push(`-A KUBE-NODEPORTS -p ${protocol} -m ${protocol} --dport 30080 -j KUBE-SVC-${index}`);
  }
  return [
    table('nat', [
      ...nat,
      '-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
      '-A KUBE-NODEPORTS -p tcp -m tcp --dport 1 -j RETURN',
      '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
      '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
      '-A KUBE-POSTROUTING -j MASQUERADE',
    ]),
    table(
      'filter',
      [...filter, '-A KUBE-SERVICES -p sctp -j RETURN', '-A KUBE-EXTERNAL-SERVICES -p sctp -j RETURN'],
      random.chance(0.2) ? ['INPUT'] : [],
    ),
  ];
}

/** Docker 24: published ports, isolation of bridges, DOCKER-USER. */
function docker(random: Random): IptablesTable[] {
  const server = random.pick(servers);
  const [outer, inner] = [random.pick(ports), random.pick(ports)];
  return [
    table('nat', [
      '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
      '-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER',
      '-A POSTROUTING -s 10.2.0.0/24 ! -o out0 -j MASQUERADE',
      `-A POSTROUTING -s ${server}/32 -d ${server}/32 -p tcp -m tcp --dport ${inner} -j MASQUERADE`,
      '-A DOCKER -i out0 -j RETURN',
      `-A DOCKER ! -i out0 -p tcp -m tcp --dport ${outer} -j DNAT --to-destination ${server}:${inner}`,
    ]),
    table(
      'filter',
      [
        '-A FORWARD -j DOCKER-USER',
        '-A FORWARD -j DOCKER-ISOLATION-STAGE-1',
        '-A FORWARD -o out0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A FORWARD -o out0 -j DOCKER',
        '-A FORWARD -i out0 ! -o out0 -j ACCEPT',
        '-A FORWARD -i out0 -o out0 -j ACCEPT',
        `-A DOCKER -d ${server}/32 ! -i out0 -o out0 -p tcp -m tcp --dport ${inner} -j ACCEPT`,
        '-A DOCKER-ISOLATION-STAGE-1 -i out0 ! -o out0 -j DOCKER-ISOLATION-STAGE-2',
        '-A DOCKER-ISOLATION-STAGE-1 -j RETURN',
        '-A DOCKER-ISOLATION-STAGE-2 -o alt0 -j DROP',
        '-A DOCKER-ISOLATION-STAGE-2 -j RETURN',
        ...(random.chance(0.5) ? [`-A DOCKER-USER -s ${random.pick(clients)}/32 -j DROP`] : []),
        '-A DOCKER-USER -j RETURN',
      ],
      ['FORWARD'],
    ),
  ];
}

/** ufw 0.36: default deny, before and user chains. */
function ufw(random: Random): IptablesTable[] {
  const port = random.pick(ports);
  return [
    table(
      'filter',
      [
        '-A INPUT -j ufw-before-input',
        '-A INPUT -j ufw-after-input',
        '-A INPUT -j ufw-reject-input',
        '-A OUTPUT -j ufw-before-output',
        '-A FORWARD -j ufw-before-forward',
        '-A FORWARD -j ufw-reject-forward',
        '-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input',
        '-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input',
        '-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT',
        '-A ufw-before-forward -j ufw-user-forward',
        '-A ufw-before-input -i lo -j ACCEPT',
        '-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny',
        '-A ufw-before-input -m conntrack --ctstate INVALID -j DROP',
        '-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT',
        '-A ufw-before-input -j ufw-not-local',
        '-A ufw-before-input -j ufw-user-input',
        '-A ufw-before-output -o lo -j ACCEPT',
        '-A ufw-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A ufw-logging-deny -m conntrack --ctstate INVALID -j RETURN',
        '-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN',
        '-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN',
        '-A ufw-not-local -j DROP',
        '-A ufw-reject-input -j REJECT --reject-with icmp-port-unreachable',
        '-A ufw-reject-forward -p tcp -j REJECT --reject-with tcp-reset',
        '-A ufw-skip-to-policy-input -j DROP',
        `-A ufw-user-input -p tcp -m tcp --dport ${port} -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource`,
        `-A ufw-user-input -p tcp -m tcp --dport ${port} -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j DROP`,
        `-A ufw-user-input -p tcp -m tcp --dport ${port} -j ACCEPT`,
        `-A ufw-user-input -s ${random.pick(clients)}/32 -p udp -m multiport --dports 53,80 -j ACCEPT`,
        `-A ufw-user-forward -d ${random.pick(servers)}/32 -p tcp -m multiport --dports 80,443,8080 -j ACCEPT`,
      ],
      ['INPUT', 'FORWARD'],
    ),
  ];
}

/** Istio 1.20: the sidecar's proxy takes what goes in and out, but for its own user's packets. */
function mesh(random: Random): IptablesTable[] {
  return [
    table('nat', [
      '-A PREROUTING -p tcp -j ISTIO_INBOUND',
      '-A OUTPUT -p tcp -j ISTIO_OUTPUT',
      '-A ISTIO_INBOUND -p tcp -m tcp --dport 9000 -j RETURN',
      '-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT',
      '-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006',
      '-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN',
      '-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT',
      '-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN',
      `-A ISTIO_OUTPUT -m owner --${random.pick(['u', 'g'])}id-owner ${random.pick([1337, 0])} -j RETURN`,
      '-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN',
      '-A ISTIO_OUTPUT -j ISTIO_REDIRECT',
      '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001',
    ]),
  ];
}

/** Marks as Calico's agent uses them: accept, pass, and a chain per workload. */
function policyAgent(random: Random): IptablesTable[] {
  const verdict = random.pick(['-j DROP', '-j REJECT --reject-with icmp-port-unreachable']);
  return [
    table('raw', [
      '-A PREROUTING -j cali-PREROUTING',
      '-A cali-PREROUTING -j MARK --set-xmark 0x0/0xffff0000',
      '-A cali-PREROUTING -i out+ -j MARK --set-xmark 0x40000/0x40000',
      ...(random.chance(0.3) ? ['-A cali-PREROUTING -p udp -m udp --dport 9000 -j CT --notrack'] : []),
    ]),
    table('mangle', [
      '-A PREROUTING -j cali-PREROUTING',
      '-A cali-PREROUTING -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A cali-PREROUTING -m mark --mark 0x10000/0x10000 -j ACCEPT',
      '-A cali-PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff',
    ]),
    table('filter', [
      '-A FORWARD -j cali-FORWARD',
      '-A FORWARD -m mark --mark 0x10000/0x10000 -j ACCEPT',
      '-A FORWARD -j MARK --set-xmark 0x10000/0x10000',
      '-A cali-FORWARD -j MARK --set-xmark 0x0/0xe0000',
      '-A cali-FORWARD -m mark --mark 0x0/0x10000 -j cali-from-dispatch',
      '-A cali-FORWARD -o out+ -j cali-to-dispatch',
      '-A cali-from-dispatch -i in+ -g cali-from-in',
      '-A cali-from-dispatch -i lo -j RETURN',
      '-A cali-from-in -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A cali-from-in -m conntrack --ctstate INVALID -j DROP',
      `-A cali-from-in -p udp -m multiport --dports 53,9000 -j MARK --set-xmark 0x10000/0x10000`,
      '-A cali-from-in -m mark --mark 0x10000/0x10000 -j RETURN',
      '-A cali-to-dispatch -o out0 -g cali-to-out',
      `-A cali-to-out -s ${random.pick(clients)}/32 -p tcp -m multiport --dports 80,8080 -j MARK --set-xmark 0x10000/0x10000`,
      '-A cali-to-out -m mark --mark 0x10000/0x10000 -j RETURN',
      `-A cali-to-out -p tcp ${verdict}`,
    ]),
  ];
}
