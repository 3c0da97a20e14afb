import type { Finding, Probe, Report } from '../../src/schema/report.ts';

/**
 * Reports as k8snet would give them, written by hand. The quoted lines, addresses and names are those of a real Kubernetes 1.36 cluster with
 * three nodes, kube-proxy in iptables mode and flannel VXLAN.
 */
export const samples = {
  'dns-coredns-zero': () => dnsCorednsZero,
  'service-selector': () => serviceSelector,
  'cni-fdb-wrong': () => cniFdbWrong,
  'app-loopback': () => appLoopback,
  'service-bridge-nf': () => serviceBridgeNf,
  'two-faults': () => twoFaults,
  'healthy-notes': () => healthyNotes,
  'healthy-plain': () => ({ ...healthyNotes, findings: [], notChecked: [] }),
  'unknown-forbidden': () => unknownForbidden,
  'fault-nameless': () => faultNameless,
  'forty-nodes': () => fortyNodes,
} satisfies Record<string, () => Report>;

const base = {
  apiVersion: 'k8snet.dev/v1',
  kind: 'DiagnosisReport',
  k8snet: '0.1.0',
  target: {
    kind: 'Service',
    namespace: 'default',
    name: 'my-service',
    type: 'ClusterIP',
    clusterIPs: ['10.96.251.77'],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
    port: 80,
  },
  from: { kind: 'Pod', namespace: 'default', name: 'client', node: 'n1', why: 'given with --from' },
  coverage: {
    access: 'node-pod',
    image: 'registry.example/k8snet-tools:0.1.0',
    nodes: ['n1', 'n2', 'n3'].map((name) => ({ name, access: 'node-pod', detail: null })),
    lost: [],
  },
  timing: {
    startedAt: '2026-11-21T03:04:11Z',
    seconds: 7.44,
    phases: [
      { name: 'objects', seconds: 0.31 },
      { name: 'nodes', seconds: 2.2 },
      { name: 'probes', seconds: 4.83 },
      { name: 'judge', seconds: 0.1 },
    ],
  },
} as const satisfies Partial<Report>;

let probeNumber = 0;

function probe(
  stage: Probe['stage'],
  to: string,
  [succeeded, tries]: [number, number],
  outcome: string,
  milliseconds: number | null = null,
  rest: Partial<Probe> = {},
): Probe {
  probeNumber += 1;
  return {
    id: `p${probeNumber}`,
    stage,
    from: 'pod default/client',
    to,
    protocol: 'TCP',
    tries,
    succeeded,
    outcome,
    milliseconds,
    ...rest,
  };
}

const NAME = 'my-service.default.svc.cluster.local';
const resolved = probe('name', NAME, [3, 3], 'ok', 1.4, { protocol: 'UDP' });
const answered = (address: string, time = 0.4) => probe('endpoint', address, [4, 4], 'ok', time);
const nameOk = { stage: 'name', what: `${NAME} is 10.96.251.77, from 10.96.0.10 (kube-dns)`, state: 'ok' } as const;
const policiesRuledOut = { what: 'NetworkPolicy', by: 'no NetworkPolicy selects the client or the endpoints' };
const dnsRuledOut = { what: 'DNS', by: `${NAME} resolves to 10.96.251.77 at 10.96.0.10 and at both CoreDNS pods` };
const proxyRuledOut = {
  what: 'kube-proxy',
  by: 'the rules of n1 for 10.96.251.77:80 name exactly the 3 ready endpoints of EndpointSlice my-service-b47c7',
};

const fdbFinding: Finding = {
  id: 'CNI007',
  slug: 'fdb-entry-wrong',
  layer: 'cni',
  severity: 'fault',
  title: 'The FDB entry for the VTEP of node n2 points at 192.168.1.99; the address of n2 is 192.168.1.12',
  where: { kind: 'fdb-entry', name: '02:00:00:00:00:02 dev flannel.1', node: 'n1' },
  evidence: [
    {
      command: 'bridge fdb show',
      on: 'node n1',
      lines: [{ number: 5, text: '02:00:00:00:00:02 dev flannel.1 dst 192.168.1.99 self permanent' }],
    },
    { command: 'ip neigh show', on: 'node n1', lines: [{ number: 6, text: '192.168.1.99 dev eth0 FAILED' }] },
    {
      command: "kubectl get nodes -o custom-columns='NAME:.metadata.name,IP:.status.addresses[0].address'",
      on: 'API server',
      lines: [{ number: 3, text: 'n2     192.168.1.12' }],
    },
  ],
  consequences: [
    'connections from n1 to every pod on n2 time out: endpoint 10.244.2.6:8080 answered 0 of 4',
    'about 1 in 3 requests to 10.96.251.77:80 fails',
  ],
  next: ['kubectl get node n2 -o yaml | grep flannel', 'kubectl -n kube-flannel logs -l app=flannel --field-selector spec.nodeName=n1'],
  fix: [
    'Restart the flannel pod of n1, which writes the entry anew: `kubectl -n kube-flannel delete pod -l app=flannel --field-selector spec.nodeName=n1`',
    'When the entry comes back wrong, mend the annotation flannel.alpha.coreos.com/public-ip of n2.',
  ],
};

const cniFdbWrong: Report = {
  ...base,
  verdict: {
    status: 'fault',
    layer: 'cni',
    confidence: 'high',
    summary: 'node n1 sends packets for the pods of node n2 to 192.168.1.99, which is no node; 1 of 3 endpoints is lost',
  },
  findings: [fdbFinding],
  probes: [
    resolved,
    probe('service', '10.96.251.77:80', [8, 12], 'timeout x4', 0.6),
    answered('10.244.1.9:8080'),
    probe('endpoint', '10.244.2.6:8080', [0, 4], 'timeout x4'),
    answered('10.244.3.7:8080', 0.9),
    probe('node', '10.244.2.6:8080', [0, 2], 'timeout x2', null, { from: 'node n1' }),
    probe('dns-server', '10.244.2.3:53', [0, 2], 'timeout x2', null, { protocol: 'UDP' }),
    probe('dns-server', '10.244.3.4:53', [2, 2], 'ok', 0.8, { protocol: 'UDP' }),
  ],
  path: [
    nameOk,
    { stage: 'Service', what: '10.96.251.77:80/TCP, kube-proxy iptables on n1', state: 'partly' },
    { stage: 'endpoint', what: 'web-798c945755-ggxth 10.244.1.9:8080 on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-798c945755-gzfrw 10.244.2.6:8080 on n2', state: 'failed' },
    { stage: 'endpoint', what: 'web-798c945755-rmzfr 10.244.3.7:8080 on n3', state: 'ok' },
    { stage: 'application', what: 'HTTP 200 from 2 of 3 endpoints', state: 'partly' },
  ],
  ruledOut: [dnsRuledOut, proxyRuledOut, policiesRuledOut, { what: 'MTU', by: 'a 200,000 byte answer came through from 10.244.3.7' }],
  notChecked: [{ what: 'Firewall between the nodes', why: 'a firewall outside of the nodes cannot be seen from here' }],
};

const serviceSelector: Report = {
  ...base,
  verdict: {
    status: 'fault',
    layer: 'service',
    confidence: 'high',
    summary: 'The selector app=webb of Service default/my-service matches no pod',
  },
  findings: [
    {
      id: 'SVC002',
      slug: 'selector-matches-no-pod',
      layer: 'service',
      severity: 'fault',
      title: 'The selector app=webb of Service default/my-service matches no pod.',
      where: { kind: 'Service', namespace: 'default', name: 'my-service' },
      evidence: [
        {
          command: 'kubectl -n default get service my-service -o yaml',
          on: 'API server',
          lines: [
            { number: 24, text: '  selector:' },
            { number: 25, text: '    app: webb' },
          ],
        },
        {
          command: 'iptables-save',
          on: 'node n1',
          lines: [
            {
              number: 51,
              text: '[0:0] -A KUBE-SERVICES -d 10.96.251.77/32 -p tcp -m comment --comment "default/my-service:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
            },
          ],
        },
      ],
      consequences: ['EndpointSlice my-service-b47c7 is empty', 'kube-proxy refuses every connection to 10.96.251.77:80 on every node'],
      next: ['kubectl -n default get pods --show-labels', 'kubectl -n default describe service my-service'],
      fix: ['3 pods of namespace default have app=web. If those are meant: `kubectl -n default set selector service my-service app=web`'],
    },
  ],
  probes: [resolved, probe('service', '10.96.251.77:80', [0, 3], 'refused x3')],
  path: [
    nameOk,
    { stage: 'Service', what: '10.96.251.77:80/TCP, rejected by kube-proxy: no endpoints', state: 'failed' },
    { stage: 'endpoint', what: 'none', state: 'failed' },
    { stage: 'application', what: 'not reached', state: 'skipped' },
  ],
  ruledOut: [
    dnsRuledOut,
    { what: 'kube-proxy', by: 'its rule for 10.96.251.77:80 on n1 is what an empty EndpointSlice calls for' },
    policiesRuledOut,
  ],
  notChecked: [],
};

const dnsCorednsZero: Report = {
  ...base,
  verdict: {
    status: 'fault',
    layer: 'dns',
    confidence: 'high',
    summary: 'No DNS server is running: Deployment kube-system/coredns is scaled to 0',
  },
  findings: [
    {
      id: 'DNS001',
      slug: 'no-ready-dns-pods',
      layer: 'dns',
      severity: 'fault',
      title: 'Deployment kube-system/coredns has 0 replicas, so that Service kube-system/kube-dns has no endpoints',
      where: { kind: 'Deployment', namespace: 'kube-system', name: 'coredns' },
      evidence: [
        {
          command: 'kubectl -n kube-system get deployment coredns',
          on: 'API server',
          lines: [{ number: 2, text: 'coredns   0/0     0            0           13m' }],
        },
        {
          command: 'nslookup my-service',
          on: 'pod default/client',
          lines: [
            { number: 1, text: ';; communications error to 10.96.0.10#53: connection refused' },
            { number: 2, text: ';; communications error to 10.96.0.10#53: connection refused' },
            { number: 3, text: ';; communications error to 10.96.0.10#53: timed out' },
            { number: 4, text: ';; no servers could be reached' },
          ],
        },
        {
          command: 'iptables-save',
          on: 'node n1',
          lines: [
            {
              number: 51,
              text: '[0:0] -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns has no endpoints" -m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable',
            },
            {
              number: 52,
              text: '[0:0] -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp has no endpoints" -m tcp --dport 53 -j REJECT --reject-with icmp-port-unreachable',
            },
          ],
        },
      ],
      consequences: ['no pod of the cluster can resolve a name at 10.96.0.10', 'my-service itself works: 10.96.251.77:80 answered 3 of 3'],
      next: [
        'kubectl -n kube-system get deployment,pods -l k8s-app=kube-dns',
        'kubectl -n kube-system get events --sort-by=.lastTimestamp',
      ],
      fix: ['`kubectl -n kube-system scale deployment coredns --replicas=2`'],
    },
  ],
  probes: [
    probe('name', NAME, [0, 3], 'refused x2, timeout x1', null, { protocol: 'UDP' }),
    probe('service', '10.96.251.77:80', [3, 3], 'ok', 0.5),
    answered('10.244.1.3:8080'),
    answered('10.244.2.2:8080', 0.8),
    answered('10.244.3.3:8080', 0.7),
  ],
  path: [
    { stage: 'name', what: `${NAME}: 10.96.0.10 refuses, it has no endpoints`, state: 'failed' },
    { stage: 'Service', what: '10.96.251.77:80/TCP, kube-proxy iptables on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-6bd679dd9b-q6bw6 10.244.1.3:8080 on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-6bd679dd9b-v226t 10.244.2.2:8080 on n2', state: 'ok' },
    { stage: 'endpoint', what: 'web-6bd679dd9b-jcqfg 10.244.3.3:8080 on n3', state: 'ok' },
    { stage: 'application', what: 'HTTP 200 from 3 of 3 endpoints', state: 'ok' },
  ],
  ruledOut: [
    { what: 'CNI', by: 'all 3 endpoints answer from pod default/client, on its own node and across nodes' },
    proxyRuledOut,
    { what: 'resolv.conf of the client', by: 'nameserver 10.96.0.10 is the ClusterIP of kube-system/kube-dns' },
  ],
  notChecked: [{ what: 'DNS servers one by one', why: 'there is none' }],
};

const appLoopback: Report = {
  ...base,
  verdict: {
    status: 'fault',
    layer: 'app',
    confidence: 'high',
    summary: 'The pods of Deployment default/web listen on 127.0.0.1:8080 only, so that nothing outside of the pod can connect',
  },
  findings: [
    {
      id: 'APP001',
      slug: 'listening-on-loopback-only',
      layer: 'app',
      severity: 'fault',
      title: 'The 3 pods of Deployment default/web listen on 127.0.0.1:8080 and not on their pod address',
      where: { kind: 'Deployment', namespace: 'default', name: 'web' },
      evidence: [
        {
          command: 'ss -lntu',
          on: 'pod default/web-84ccd6448b-2fmlr',
          lines: [{ number: 2, text: 'tcp   LISTEN 0      9          127.0.0.1:8080      0.0.0.0:*          ' }],
        },
        {
          command: 'curl -sv http://10.244.2.7:8080/',
          on: 'pod default/client',
          lines: [{ number: 2, text: '* connect to 10.244.2.7 port 8080 failed: Connection refused' }],
        },
      ],
      consequences: [
        'every endpoint refuses connections: 0 of 12 tries',
        'the pods are Ready all the same, since they have no readiness probe',
      ],
      next: ['kubectl -n default get deployment web -o yaml', 'kubectl -n default logs deployment/web --tail=50'],
      fix: [
        'Let the server listen on 0.0.0.0 (or ::) instead of 127.0.0.1; it is often a flag such as `--bind` or `--host`.',
        'Add a readinessProbe, so that such a pod is not made an endpoint.',
      ],
    },
  ],
  probes: [
    resolved,
    probe('service', '10.96.251.77:80', [0, 4], 'refused x4'),
    probe('endpoint', '10.244.1.10:8080', [0, 4], 'refused x4'),
    probe('endpoint', '10.244.2.7:8080', [0, 4], 'refused x4'),
    probe('endpoint', '10.244.3.8:8080', [0, 4], 'refused x4'),
  ],
  path: [
    nameOk,
    { stage: 'Service', what: '10.96.251.77:80/TCP, kube-proxy iptables on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-84ccd6448b-q2bvc 10.244.1.10:8080 on n1 refuses', state: 'failed' },
    { stage: 'endpoint', what: 'web-84ccd6448b-2fmlr 10.244.2.7:8080 on n2 refuses', state: 'failed' },
    { stage: 'endpoint', what: 'web-84ccd6448b-xm5n6 10.244.3.8:8080 on n3 refuses', state: 'failed' },
    { stage: 'application', what: 'listens on 127.0.0.1:8080 only', state: 'failed' },
  ],
  ruledOut: [
    dnsRuledOut,
    proxyRuledOut,
    { what: 'CNI', by: 'the refusals come from the pods themselves: a TCP reset from each pod address within 1 ms' },
  ],
  notChecked: [],
};

const serviceBridgeNf: Report = {
  ...base,
  target: { ...base.target, clusterIPs: ['10.96.155.6'] },
  verdict: {
    status: 'fault',
    layer: 'service',
    confidence: 'high',
    summary:
      'net.bridge.bridge-nf-call-iptables is 0 on node n1: answers of an endpoint on the node of the client come back with the wrong address',
  },
  findings: [
    {
      id: 'SVC015',
      slug: 'bridge-nf-call-iptables-off',
      layer: 'service',
      severity: 'fault',
      title:
        'net.bridge.bridge-nf-call-iptables = 0: answers between two pods of n1 pass the bridge cni0 unseen by iptables and keep the endpoint’s address',
      where: { kind: 'sysctl', name: 'net.bridge.bridge-nf-call-iptables', node: 'n1' },
      evidence: [
        { command: 'sysctl -a --pattern bridge-nf', on: 'node n1', lines: [{ number: 3, text: 'net.bridge.bridge-nf-call-iptables = 0' }] },
        {
          command: "curl -s -m 2 -o /dev/null -w '%{http_code} total=%{time_total}s %{errormsg}\\n' http://10.96.155.6/",
          on: 'pod default/client',
          lines: [
            { number: 1, text: '000 total=2.001151s Connection timed out after 2001 milliseconds' },
            { number: 2, text: '000 total=2.001687s Connection timed out after 2001 milliseconds' },
            { number: 3, text: '200 total=0.001604s ' },
          ],
        },
      ],
      consequences: [
        '5 of 12 requests to 10.96.155.6:80 time out: those that kube-proxy gives to 10.244.1.4, on the client’s own node',
        'straight to 10.244.1.4:8080 all 4 tries succeed',
      ],
      next: ['kubectl debug node/n1 -it --image=busybox -- chroot /host sysctl net.bridge', 'kubectl get nodes -o wide'],
      fix: [
        'On n1, now: `sysctl -w net.bridge.bridge-nf-call-iptables=1`',
        'For the next boot: module br_netfilter in /etc/modules-load.d and the sysctl in /etc/sysctl.d.',
      ],
    },
  ],
  probes: [
    resolved,
    probe('service', '10.96.155.6:80', [7, 12], 'timeout x5', 0.8),
    answered('10.244.1.4:8080', 0.2),
    answered('10.244.2.4:8080', 0.9),
    answered('10.244.3.4:8080', 1.1),
  ],
  path: [
    { ...nameOk, what: `${NAME} is 10.96.155.6, from 10.96.0.10 (kube-dns)` },
    { stage: 'Service', what: '10.96.155.6:80/TCP, fails when kube-proxy takes 10.244.1.4', state: 'partly' },
    { stage: 'endpoint', what: 'web-5f5ffdfb-76dbp 10.244.1.4:8080 on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-5f5ffdfb-5prm4 10.244.2.4:8080 on n2', state: 'ok' },
    { stage: 'endpoint', what: 'web-5f5ffdfb-tvmkc 10.244.3.4:8080 on n3', state: 'ok' },
    { stage: 'application', what: 'HTTP 200', state: 'ok' },
  ],
  ruledOut: [dnsRuledOut, policiesRuledOut, { what: 'CNI', by: 'every endpoint answers when asked straight' }],
  notChecked: [],
};

const twoFaults: Report = {
  ...cniFdbWrong,
  verdict: {
    ...cniFdbWrong.verdict,
    confidence: 'medium',
    summary: 'node n1 sends packets for node n2 to 192.168.1.99, which is no node; besides, the client asks a DNS server of its own',
  },
  findings: [
    fdbFinding,
    {
      id: 'DNS004',
      slug: 'pod-nameserver-not-cluster-dns',
      layer: 'dns',
      severity: 'fault',
      title: 'Pod default/client asks nameserver 192.0.2.53, which is not the cluster DNS 10.96.0.10',
      where: { kind: 'Pod', namespace: 'default', name: 'client' },
      evidence: [
        { command: 'cat /etc/resolv.conf', on: 'pod default/client', lines: [{ number: 1, text: 'nameserver 192.0.2.53' }] },
        { command: 'kubectl -n default get pod client -o yaml', on: 'API server', lines: [{ number: 41, text: '  dnsPolicy: None' }] },
      ],
      consequences: ['the name my-service does not resolve in this pod; other pods are not affected'],
      next: ['kubectl -n default get pod client -o jsonpath=\'{.spec.dnsPolicy}{"\\n"}{.spec.dnsConfig}{"\\n"}\''],
      fix: ['Set `dnsPolicy: ClusterFirst` in what makes this pod, and let it be made anew.'],
    },
  ],
  probes: [probe('name', NAME, [0, 3], 'timeout x3', null, { protocol: 'UDP' }), ...cniFdbWrong.probes.slice(1)],
  path: [{ stage: 'name', what: `${NAME}: no answer from 192.0.2.53`, state: 'failed' }, ...cniFdbWrong.path.slice(1)],
  ruledOut: [proxyRuledOut, policiesRuledOut],
  notChecked: [],
};

const healthyNotes: Report = {
  ...base,
  verdict: {
    status: 'healthy',
    layer: null,
    confidence: 'high',
    summary: 'my-service answers by name, at its ClusterIP and at all 3 endpoints',
  },
  findings: [
    {
      id: 'CNI020',
      slug: 'conntrack-nearly-full',
      layer: 'cni',
      severity: 'note',
      title: 'The conntrack table of node n3 is 81 % full',
      where: { kind: 'sysctl', name: 'net.netfilter.nf_conntrack_max', node: 'n3' },
      evidence: [{ command: 'conntrack -C', on: 'node n3', lines: [{ number: 1, text: '212337' }] }],
      consequences: [],
      next: ['kubectl debug node/n3 -it --image=busybox -- chroot /host sysctl net.netfilter'],
      fix: [],
    },
  ],
  probes: [
    resolved,
    probe('service', '10.96.251.77:80', [12, 12], 'ok', 0.5),
    answered('10.244.1.9:8080', 0.2),
    answered('10.244.2.6:8080', 0.8),
    answered('10.244.3.7:8080', 0.9),
  ],
  path: [
    nameOk,
    { stage: 'Service', what: '10.96.251.77:80/TCP, kube-proxy iptables on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-798c945755-ggxth 10.244.1.9:8080 on n1', state: 'ok' },
    { stage: 'endpoint', what: 'web-798c945755-gzfrw 10.244.2.6:8080 on n2', state: 'ok' },
    { stage: 'endpoint', what: 'web-798c945755-rmzfr 10.244.3.7:8080 on n3', state: 'ok' },
    { stage: 'application', what: 'HTTP 200 from 3 of 3 endpoints', state: 'ok' },
  ],
  ruledOut: [dnsRuledOut, proxyRuledOut, policiesRuledOut],
  notChecked: [{ what: 'full-size packets', why: 'no endpoint gave an answer larger than one packet' }],
};

const unknownForbidden: Report = {
  ...base,
  from: { ...base.from, why: 'the only running pod of namespace default that no Service selects' },
  verdict: {
    status: 'unknown',
    layer: null,
    confidence: 'low',
    summary: 'What the API says about default/my-service is sound, but no probe could be made.',
  },
  findings: [],
  probes: [],
  path: [
    { stage: 'name', what: `${NAME}: not tried`, state: 'unknown' },
    { stage: 'Service', what: '10.96.251.77:80/TCP exists and has a selector', state: 'ok' },
    { stage: 'endpoint', what: '3 ready endpoints in EndpointSlice my-service-b47c7, none tried', state: 'unknown' },
    { stage: 'application', what: 'not tried', state: 'unknown' },
  ],
  ruledOut: [
    { what: 'selector', by: 'app=web matches 3 ready pods' },
    { what: 'targetPort', by: 'http is container port 8080 of all 3 pods' },
  ],
  notChecked: [
    {
      what: 'probes from pod default/client',
      why: 'forbidden: User "oncall" cannot create resource "pods/exec" in API group "" in the namespace "default"',
    },
    {
      what: 'rules, routes and FDB of the nodes',
      why: 'forbidden: User "oncall" cannot create resource "pods" in API group "" in the namespace "default"',
    },
  ],
  coverage: { access: 'api', image: null, nodes: [], lost: ['Nothing that happens on a node or in a pod could be seen.'] },
  timing: { startedAt: '2026-11-21T03:04:11Z', seconds: 0.62, phases: [{ name: 'objects', seconds: 0.6 }] },
};

const faultNameless: Report = {
  ...cniFdbWrong,
  verdict: { status: 'fault', layer: 'cni', confidence: 'low', summary: 'packets from node n1 to the pods of node n2 are lost on the way' },
  findings: [],
  coverage: {
    ...base.coverage,
    nodes: [
      { name: 'n1', access: 'node-pod', detail: null },
      { name: 'n2', access: 'none', detail: 'timeout: the node pod was not Running after 30 s (node is NotReady)' },
      { name: 'n3', access: 'node-pod', detail: null },
    ],
    lost: ['What arrives at n2 could not be seen.'],
  },
};

/** The intermittent fault of a large cluster: 37 of 40 endpoints answer. */
const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
const broken = (number: number) => number % 13 === 0;

const fortyNodes: Report = {
  ...cniFdbWrong,
  verdict: {
    status: 'fault',
    layer: 'cni',
    confidence: 'medium',
    summary: '3 of 40 endpoints time out: those on nodes n13, n26 and n39, where VXLAN packets from n1 do not arrive',
  },
  findings: [
    {
      id: 'CNI003',
      slug: 'vxlan-dropped-by-firewall',
      layer: 'cni',
      severity: 'fault',
      title: 'A rule of nodes n13, n26 and n39 drops UDP 8472, the VXLAN port of flannel.1',
      where: { kind: 'rule', name: 'filter INPUT 1', node: 'n13' },
      evidence: ['n13', 'n26', 'n39'].map((node) => ({
        command: 'iptables-save -c',
        on: `node ${node}`,
        lines: [{ number: 14, text: '[37:2590] -A INPUT -i eth0 -p udp -m udp --dport 8472 -j DROP' }],
      })),
      consequences: ['pods of n13, n26 and n39 are cut off from all other nodes', 'about 1 in 13 requests to 10.96.251.77:80 times out'],
      next: [
        'kubectl get nodes -o wide',
        'kubectl debug node/n13 -it --image=busybox -- chroot /host iptables -L INPUT -n -v --line-numbers',
      ],
      fix: ['Find out what wrote the rule (firewalld, ufw, a cloud agent), and let it allow UDP 8472 between the nodes.'],
    },
  ],
  probes: [
    resolved,
    probe('service', '10.96.251.77:80', [37, 40], 'timeout x3', 0.7),
    ...numbers.map((number) =>
      broken(number)
        ? probe('endpoint', `10.244.${number}.6:8080`, [0, 4], 'timeout x4')
        : answered(`10.244.${number}.6:8080`, number / 20),
    ),
  ],
  path: [
    nameOk,
    { stage: 'Service', what: '10.96.251.77:80/TCP, kube-proxy iptables on n1', state: 'partly' },
    ...numbers.map((number) => ({
      stage: 'endpoint',
      what: `10.244.${number}.6:8080 on n${number}`,
      state: broken(number) ? ('failed' as const) : ('ok' as const),
    })),
    { stage: 'application', what: 'HTTP 200 from 37 of 40 endpoints', state: 'partly' },
  ],
  ruledOut: [
    dnsRuledOut,
    { what: 'kube-proxy', by: 'the rules of n1 for 10.96.251.77:80 name exactly the 40 ready endpoints' },
    policiesRuledOut,
  ],
  notChecked: [{ what: 'nodes without an endpoint', why: 'they are not on the way of this request' }],
  coverage: {
    ...base.coverage,
    nodes: numbers.map((number) => ({
      name: `n${number}`,
      access: 'node-pod',
      detail: number === 40 ? 'timeout: no answer within 10 s' : null,
    })),
  },
};
