import { describe, expect, it } from 'vitest';
import { checks } from '../../../src/checks/index.ts';
import { edited, failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

/**
 * For each check of the Service layer: the recording of a cluster with that fault, what the title says, what is quoted, a recording in which it
 * does not find it, and the entries without which it can't tell.
 */
const table: [slug: string, bundle: string, title: RegExp, quote: RegExp, sound: string, needed: RegExp][] = [
  ['selector-matches-no-pod', 'svc-selector', /selects app=\S+, and no pod/, /"app"/, 'svc-targetport', /\/pods$/],
  ['no-ready-endpoints', 'svc-not-ready', /none of the 3 pods .* is ready/, /9999|Ready/, 'svc-targetport', /\/endpointslices$/],
  [
    'endpoints-not-listed',
    'svc-no-endpointslice',
    /has no selector, and no EndpointSlice/,
    /No resources found/,
    'svc-selector',
    /\/endpointslices$/,
  ],
  [
    'endpoints-not-listed',
    'svc-controller-stuck',
    /3 pods .* are ready, and no EndpointSlice/,
    /"Ready","status":"True"/,
    'svc-not-ready',
    /\/pods$/,
  ],
  [
    'endpoint-without-pod',
    'svc-dead-endpoint',
    /lists 10\.244\.2\.250 .*node n2, .*finds nobody/,
    /10\.244\.2\.250.*No route to host/,
    'app-one-stopped',
    /\/endpointslices$/,
  ],
  ['target-port-not-listening', 'svc-targetport', /sends to port 8081.*declare 8080/, /8081/, 'rule-raw-drop', /\/endpointslices$/],
  ['named-port-missing', 'svc-named-port', /targetPort "web"/, /"targetPort":"web"/, 'svc-targetport', /\/services\/my-service$/],
  ['headless-or-externalname-misread', 'svc-headless-port', /is headless/, /None/, 'svc-selector', /\/services\/my-/],
  [
    'internal-traffic-policy-no-local-endpoint',
    'svc-internal-local',
    /internalTrafficPolicy Local/,
    /Local/,
    'svc-selector',
    /\/endpointslices$/,
  ],
  [
    'kube-proxy-not-running',
    'proxy-dead-no-rules',
    /kube-proxy does not run on node n1/,
    /No resources found/,
    'proxy-stale',
    /\/daemonsets$/,
  ],
  [
    'service-rules-missing',
    'proxy-rule-missing',
    /does not translate Service default\/my-service/,
    /prerouting|PREROUTING/i,
    'svc-targetport',
    /^node\/n1\/(iptables-save|nft|iptables-legacy-save)$/,
  ],
  [
    'service-rules-unhooked',
    'proxy-jump-flushed',
    /nothing leads to them/,
    /prerouting|PREROUTING/i,
    'svc-targetport',
    /^node\/n1\/(iptables-save|nft|iptables-legacy-save)$/,
  ],
  [
    'service-rules-stale',
    'proxy-stale',
    /no endpoint any more/,
    /dnat|DNAT/i,
    'svc-targetport',
    /^node\/n1\/(iptables-save|nft|iptables-legacy-save)$/,
  ],
  [
    'rule-before-kube-proxy',
    'rule-raw-drop',
    /raw PREROUTING of node n1 stops/,
    /-j DROP/,
    'svc-targetport',
    /^node\/n1\/(iptables-save|nft|iptables-legacy-save)$/,
  ],
  [
    'stale-conntrack-entry',
    'conntrack-stale-tcp',
    /10\.244\.2\.250, which is no endpoint any more/,
    /src=10\.244\.2\.250/,
    'svc-targetport',
    /^node\/n1\/conntrack$/,
  ],
  [
    'bridge-nf-call-iptables-off',
    'bridge-nf-off',
    /bridge-nf-call-iptables is 0 on node n1/,
    /bridge-nf-call-iptables = 0/,
    'svc-targetport',
    /^node\/n1\/sysctl$/,
  ],
];

const checkOf = (slug: string) => {
  const check = checks.find(({ meta }) => meta.slug === slug);
  if (!check) throw new Error(`no check ${slug}`);
  return check;
};

describe.each(table)('%s', (slug, bundle, title, quote, sound, needed) => {
  const snapshot = readBundle(bundle);

  it('is the verdict on the cluster that has it, with the line that proves it', () => {
    const [fault] = faultsOf(checkOf(slug), snapshot);
    expect(fault.title).toMatch(title);
    expect(quoted(snapshot, fault).join('\n')).toMatch(quote);
    expect(verdictOf(snapshot)).toEqual({ status: 'fault', layer: 'service', slug });
  });

  it('is not found where it is not', () => {
    expect(['pass', 'skip']).toContain(resultOf(checkOf(slug), readBundle(sound)).state);
  });

  it('is unknown, and neither there nor not there, where it could not be looked at', () => {
    expect(resultOf(checkOf(slug), failing(snapshot, needed, 'forbidden')).state).toBe('unknown');
  });
});

it('conntrack-table-full: reads the count against the maximum', () => {
  const check = checkOf('conntrack-table-full');
  expect(resultOf(check, readBundle('svc-targetport'))).toMatchObject({ state: 'pass' });
  expect(resultOf(check, failing(readBundle('svc-targetport'), /\/sysctl$/, 'forbidden'))).toMatchObject({
    state: 'unknown',
    reason: 'forbidden',
  });
});

it('service-traffic-lost-unexplained: says so with low confidence where the rules could not be read, and names no cause', () => {
  const blind = failing(readBundle('rule-raw-drop'), /^node\/n1\/(iptables-save|nft|iptables-legacy-save)$/, 'tool-missing');
  expect(verdictOf(blind)).toEqual({ status: 'fault', layer: 'service', slug: 'service-traffic-lost-unexplained' });
});

describe('one rule of node n1 changed in a sound recording', () => {
  const sound = readBundle('svc-targetport');
  const rules = /^node\/n1\/iptables-save$/;
  const vip: string = JSON.parse(sound.entries.get('api/api/v1/namespaces/default/services/my-service')?.stdout ?? '').spec.clusterIP;
  const portal = `-A KUBE-SERVICES -d ${vip}/32`;
  const untracked = (chain: string, target: string) => (text: string) =>
    `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[0:0] -A ${chain} -d ${vip}/32 -j ${target}\nCOMMIT\n${text.replace(/\*raw\n[\s\S]*?COMMIT\n/, '')}`;

  it.each(['NOTRACK', 'CT --notrack'])('a raw rule with %s is named, and the jump to the rules of the Service is not', (target) => {
    const snapshot = edited(sound, rules, untracked('PREROUTING', target));
    const [fault] = faultsOf(checkOf('rule-before-kube-proxy'), snapshot);
    expect(fault.title).toMatch(/^a rule in raw PREROUTING of node n1 takes what is sent to .* out of connection tracking/);
    expect(quoted(snapshot, fault)).toEqual([`[0:0] -A PREROUTING -d ${vip}/32 -j ${target}`]);
    for (const slug of ['service-rules-unhooked', 'service-rules-missing'])
      expect(['pass', 'skip']).toContain(resultOf(checkOf(slug), snapshot).state);
  });

  it('a raw rule for the node itself does nothing to a pod', () => {
    expect(resultOf(checkOf('rule-before-kube-proxy'), edited(sound, rules, untracked('OUTPUT', 'NOTRACK'))).state).toBe('pass');
  });

  it('a rule of kube-proxy that asks for more is wrong itself, and nothing is said to be unhooked', () => {
    const snapshot = edited(sound, rules, (text) => text.replace(portal, portal.replace('-d', '-s 10.99.0.0/16 -d')));
    const [fault] = faultsOf(checkOf('service-rules-missing'), snapshot);
    expect(fault.title).toMatch(/packets come to chain KUBE-SERVICES, and its rule there does not take them$/);
    expect(quoted(snapshot, fault).join('\n')).toContain(`-A KUBE-SERVICES -s 10.99.0.0/16 -d ${vip}/32`);
    expect(resultOf(checkOf('service-rules-unhooked'), snapshot).state).not.toBe('fail');
  });

  it('says which share of the connections goes to what is no endpoint', () => {
    const target = /(default\/my-service:http" -m tcp -j DNAT --to-destination )[\d.]+/;
    const [fault] = faultsOf(
      checkOf('service-rules-stale'),
      edited(sound, rules, (text) => text.replace(target, '$110.244.9.9')),
    );
    expect(fault.title).toMatch(/they lead \d+ % of the connections to 10\.244\.9\.9, which is no endpoint any more/);
  });
});

describe('look-alikes of the faults above', () => {
  const slug = (wanted: string) => checks.find(({ meta }) => meta.slug === wanted) ?? expect.fail(wanted);
  const withEntry = (snapshot: ReturnType<typeof readBundle>, path: string, items: object[]): ReturnType<typeof readBundle> => ({
    ...snapshot,
    entries: new Map([
      ...snapshot.entries,
      [
        `api${path}`,
        {
          key: `api${path}`,
          command: `kubectl get --raw '${path}'`,
          on: { kind: 'api' as const, name: 'API server' },
          exit: 0,
          stdout: `${JSON.stringify({ items })}\n`,
          stderr: '',
        },
      ],
    ]),
  });

  it('a Deployment that is scaled to 0 is no wrong selector', () => {
    const snapshot = readBundle('svc-selector');
    const service = JSON.parse(snapshot.entries.get('api/api/v1/namespaces/default/services/my-service')?.stdout ?? '') as {
      spec: { selector: Record<string, string> };
    };
    const deployment = (replicas: number) => ({
      metadata: { name: 'idle', namespace: 'default' },
      spec: { replicas, template: { metadata: { labels: service.spec.selector } } },
    });
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const [idle] = faultsOf(slug('selector-matches-no-pod'), withEntry(snapshot, path, [deployment(0)]));
    expect(idle).toMatchObject({ where: { kind: 'Deployment', name: 'idle' }, title: expect.stringMatching(/is scaled to 0$/) });
    const [wrong] = faultsOf(slug('selector-matches-no-pod'), withEntry(snapshot, path, [deployment(3)]));
    expect(wrong.title).toMatch(/and no pod of the namespace has these labels/);
  });

  it('pods that became ready a moment ago need not be in an EndpointSlice yet', () => {
    const stuck = readBundle('svc-controller-stuck');
    const fresh = edited(stuck, /namespaces\/default\/pods$/, (text) =>
      text.replaceAll(/"lastTransitionTime":"[^"]+"/g, `"lastTransitionTime":"${stuck.manifest.startedAt}"`),
    );
    expect(resultOf(slug('endpoints-not-listed'), fresh).state).toBe('skip');
  });

  it('an address that pods of another kind of network have is no left-over', () => {
    const elsewhere = edited(readBundle('svc-dead-endpoint'), /api\/v1\/nodes$/, (text) =>
      text.replaceAll('10.244.2.0/24', '10.99.2.0/24'),
    );
    expect(resultOf(slug('endpoint-without-pod'), elsewhere).state).toBe('pass');
  });

  it('a pod with another address than the EndpointSlice says is named', () => {
    const moved = edited(readBundle('svc-dead-endpoint'), /\/endpointslices$/, (text) =>
      text.replace(
        '"addresses":["10.244.2.250"],',
        '"addresses":["10.244.2.250"],"targetRef":{"kind":"Pod","namespace":"default","name":"client"},',
      ),
    );
    const [gone] = faultsOf(slug('endpoint-without-pod'), moved);
    expect(gone.title).toMatch(/pod default\/client, which has the address 10\.244\.1\.2 now$/);
  });

  it('a client that is held to one endpoint (ClientIP) leaves none of the others out', () => {
    const rules = slug('service-rules-stale');
    const service = /\/services\/my-service$/;
    // The rules lead to one endpoint that is still one, and to none of two others.
    const oneOnly = edited(readBundle('svc-targetport'), /^node\/n1\/(iptables-save|nft)$/, onlyLastEndpoint);
    expect(resultOf(rules, oneOnly)).toMatchObject({ state: 'fail' });
    const held = edited(oneOnly, service, (text) => text.replace('"sessionAffinity":"None"', '"sessionAffinity":"ClientIP"'));
    expect(resultOf(rules, held)).not.toMatchObject({ state: 'fail' });
  });
});

/** kube-proxy's rules of svc-targetport with the choice between the endpoints of my-service taken away but for the last. */
const onlyLastEndpoint = (text: string): string => text.replace(/^.*-A KUBE-SVC-\S+ .*default\/my-service.*--mode random.*\n/gm, '');
