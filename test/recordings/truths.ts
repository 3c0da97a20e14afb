/** Cause, in the words of a recording's truth.txt, and the slug of the check that has to name it. */
const checkOfCause: readonly (readonly [RegExp, string])[] = [
  [/^the backend listens on 127\.0\.0\.1 only$/, 'listening-on-loopback-only'],
  [/^bridge-nf-call-iptables=0/, 'bridge-nf-call-iptables-off'],
  [/^FDB entry for .* points at the wrong node IP$/, 'fdb-entry-wrong'],
  [/^FORWARD policy DROP/, 'forward-drop'],
  [/^UDP 8472 \(VXLAN\) dropped by the firewall/, 'tunnel-port-filtered'],
  [/^tunnel MTU 1400 on every node under pod MTU 1450/, 'mtu-black-hole'],
  [/^flannel\.1 is down/, 'tunnel-device-down'],
  [/^no ready CoreDNS pods$/, 'no-ready-dns-pods'],
  [/^client pod's resolv\.conf names a server that is not the cluster DNS$/, 'pod-nameserver-not-cluster-dns'],
  [/^kube-proxy is not running on the client's node: no rules/, 'kube-proxy-not-running'],
  [/^nat PREROUTING\/OUTPUT no longer jump to KUBE-SERVICES/, 'service-rules-unhooked'],
  [/^kube-proxy on the client's node is stuck: its rules point at pod IPs that are gone$/, 'service-rules-stale'],
  [/^no ready endpoints: readiness probes fail$/, 'no-ready-endpoints'],
  [/^no endpoints: the Service's selector matches no pod$/, 'selector-matches-no-pod'],
  [/^targetPort \d+ is not a port the pods listen on/, 'target-port-not-listening'],
  [/^route to .* pod CIDR missing/, 'pod-route-missing'],
];

export interface Truth {
  /** Null for a healthy cluster. */
  layer: string | null;
  slug: string | null;
}

/** Reads a truth.txt: `layer|cause|place`, or that the cluster is healthy. A cause that the table does not have is an error, not a pass. */
export function readTruth(truth: string): Truth {
  if (truth.startsWith('healthy cluster')) return { layer: null, slug: null };
  const [layer, cause = ''] = truth.split('|');
  const slug = checkOfCause.find(([pattern]) => pattern.test(cause))?.[1];
  if (layer === undefined || slug === undefined) throw new Error(`no check is known for the truth "${truth}"`);
  return { layer, slug };
}
