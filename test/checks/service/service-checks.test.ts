import { describe, expect, it } from 'vitest';
import { checks } from '../../../src/checks/index.ts';
import { failing, faultsOf, quoted, readBundle, resultOf, verdictOf } from '../dns/bundle.ts';

/**
 * For each check of the Service layer: the recording of a cluster with that fault, what the title says, what is quoted, a recording in which it
 * does not find it, and the entries without which it can't tell.
 */
const table: [slug: string, bundle: string, title: RegExp, quote: RegExp, sound: string, needed: RegExp][] = [
  ['selector-matches-no-pod', 'svc-selector', /selects app=\S+, and no pod/, /"app"/, 'svc-targetport', /\/pods$/],
  ['no-ready-endpoints', 'svc-not-ready', /none of the 3 pods .* is ready/, /9999|Ready/, 'svc-targetport', /\/endpointslices$/],
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
