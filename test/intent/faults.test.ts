import { describe, expect, it } from 'vitest';
import { renderVerifyText } from '../../src/report/verify-text.ts';
import { bundle, changed, lineBefore, report, said, withEntries, without } from './change.ts';

/** Recordings of the real cluster with nothing wrong; one thing is then changed in what one node said, as somebody's hand or tool would. */
const iptables = bundle('svc-targetport');
const nftables = bundle('conntrack-stale-tcp');
const address = (snapshot: typeof iptables): string => {
  const service = JSON.parse(snapshot.entries.get('api/api/v1/namespaces/default/services/my-service')?.stdout ?? '{}');
  return service.spec.clusterIP as string;
};
const vip = address(iptables);
const rules = 'node/n1/iptables-save';
const nft = 'node/n1/nft';
const portal = new RegExp(`-A KUBE-SERVICES -d ${vip.replaceAll('.', '\\.')}/32`);
const chainOf = (text: string): string => new RegExp(`${portal.source}.* -j (KUBE-SVC-\\w+)`).exec(text)?.[1] ?? '';
const svc = chainOf(iptables.entries.get(rules)?.stdout ?? '');
/** One endpoint of the Service, as its chain names it. */
const [, endpoint = '', endpointPort = ''] =
  /default\/my-service:http -> ([\d.]+):(\d+)"/.exec(iptables.entries.get(rules)?.stdout ?? '') ?? [];

describe('iptables mode, one thing wrong on one node', () => {
  const at = (change: (text: string) => string) => said(changed(iptables, { [rules]: change }));

  it('nothing is wrong before', () => {
    expect(said(iptables)).toEqual([]);
    expect(report(iptables).verdict.status).toBe('healthy');
  });

  it('names the hook whose jump is gone, and from where that matters', () => {
    expect(at(without(/-A PREROUTING .*-j KUBE-SERVICES/))).toEqual([
      'fault unhooked n1 pod+endpoint: nat PREROUTING has no jump to KUBE-SERVICES, where its rule is',
    ]);
    expect(at(without(/-A OUTPUT .*service portals.*-j KUBE-SERVICES/))).toEqual([
      'fault unhooked n1 node: nat OUTPUT has no jump to KUBE-SERVICES, where its rule is',
    ]);
  });

  it('knows that nothing masquerades without the jump to KUBE-POSTROUTING', () => {
    expect(at(without(/-A POSTROUTING .*-j KUBE-POSTROUTING/))).toEqual([
      'fault unhooked n1 node+endpoint: nat POSTROUTING has no jump to KUBE-POSTROUTING, which masquerades',
    ]);
  });

  it('names the Service whose rule is gone, and the chain that should have it', () => {
    expect(at(without(portal))).toEqual([`fault missing n1 pod+node+endpoint: chain KUBE-SERVICES has nothing for ${vip}:80/tcp`]);
  });

  it('calls a Service chain that was flushed by its name', () => {
    expect(at(without(new RegExp(`-A ${svc} `)))).toEqual([
      `fault missing n1 pod+node+endpoint: chain ${svc}, to which its rule leads, is empty`,
    ]);
  });

  it('finds the endpoint that no rule leads to', () => {
    const lines = (iptables.entries.get(rules)?.stdout ?? '')
      .split('\n')
      .filter((line) => line.includes(`-A ${svc} `) && line.includes(' -> '));
    const last = lines.at(-1) ?? '';
    const target = / -> ([\d.:]+)"/.exec(last)?.[1];
    const [finding, ...others] = report(changed(iptables, { [rules]: (text) => text.replace(`${last}\n`, '') })).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'fault', kind: 'missing-endpoint', node: 'n1', peers: { right: ['n2', 'n3'], alike: [] } });
    expect(finding?.title).toContain(`is never translated to ${target}`);
    expect(finding?.evidence[0]?.lines.map(({ text }) => text)).toEqual(expect.arrayContaining([expect.stringContaining(`-A ${svc} `)]));
  });

  it('finds the endpoint that is none any more', () => {
    const [finding] = report(
      changed(iptables, {
        [rules]: (text) => text.replace(/(default\/my-service:http" -m tcp -j DNAT --to-destination )[\d.]+/, '$110.244.9.9'),
      }),
    ).findings;
    expect(finding).toMatchObject({ severity: 'fault', kind: 'stale-endpoint', node: 'n1' });
    expect(finding?.title).toContain(`10.244.9.9:${endpointPort}, not among its endpoints`);
    expect(finding?.evidence[0]?.lines).toEqual([
      { number: expect.any(Number), text: expect.stringContaining(`--to-destination 10.244.9.9:${endpointPort}`) },
    ]);
  });

  it.each([
    [
      'an accept before the jump',
      lineBefore(/-A PREROUTING .*-j KUBE-SERVICES/, `[0:0] -A PREROUTING -d ${vip}/32 -j ACCEPT`),
      'nat PREROUTING',
      'pod+endpoint',
    ],
    [
      'a translation before the jump',
      lineBefore(/-A PREROUTING .*-j KUBE-SERVICES/, `[0:0] -A PREROUTING -d ${vip}/32 -p tcp -j DNAT --to-destination 10.0.0.9:80`),
      'nat PREROUTING',
      'pod+endpoint',
    ],
    [
      'a return inside of KUBE-SERVICES',
      lineBefore(/-A KUBE-SERVICES /, `[0:0] -A KUBE-SERVICES -d ${vip}/32 -j RETURN`),
      'nat KUBE-SERVICES',
      'pod+node+endpoint',
    ],
  ])('names %s', (_, change, chain, from) => {
    const findings = report(changed(iptables, { [rules]: change })).findings;
    expect(findings.map(({ severity, kind, from: origins }) => `${severity} ${kind} ${origins.join('+')}`)).toEqual([
      `fault shadowed ${from}`,
    ]);
    expect(findings[0]?.why).toContain(chain);
    expect(findings[0]?.evidence[0]?.lines.map(({ text }) => text).join('\n')).toContain(`-d ${vip}/32`);
  });

  it("never tells to take kube-proxy's own jump away", () => {
    const [finding, ...others] = report(
      changed(iptables, { [rules]: (text) => text.replace(portal, `-A KUBE-SERVICES -s 10.99.0.0/16 -d ${vip}/32`) }),
    ).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'fault', kind: 'missing', node: 'n1', from: ['pod', 'node', 'endpoint'] });
    expect(finding?.why).toMatch(/^packets come to chain KUBE-SERVICES, and its rule does not take them: "-A KUBE-SERVICES -s 10\.99/);
    expect(finding?.evidence[0]?.lines.map(({ text }) => text).join('\n')).not.toContain('-j KUBE-SERVICES');
    expect(finding?.fix.join(' ')).toMatch(/^Restart kube-proxy/);
  });

  it("takes what only jumps or marks on the packet's way for no rule that takes it", () => {
    const conditional = (text: string) =>
      lineBefore(
        /-A PREROUTING .*-j KUBE-SERVICES/,
        '[0:0] -A PREROUTING -j MARK --set-xmark 0x0/0x0',
      )(text).replace(/-A PREROUTING (.*-j KUBE-SERVICES)/, '-A PREROUTING -s 10.99.0.0/16 $1');
    expect(at(conditional)).toEqual([
      expect.stringMatching(/^fault unhooked n1 pod\+endpoint: the jump to kube-proxy's rules leaves it out: "-A PREROUTING -s 10\.99/),
    ]);
  });

  it('names the rule by which nothing is tracked, and so nothing translated', () => {
    const raw = `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[0:0] -A PREROUTING -d ${vip}/32 -j NOTRACK\nCOMMIT\n`;
    const [finding, ...others] = report(
      changed(iptables, { [rules]: (text) => raw + text.replace(/\*raw\n[\s\S]*?COMMIT\n/, '') }),
    ).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'fault', kind: 'shadowed', from: ['pod', 'endpoint'] });
    expect(finding?.why).toContain(`raw PREROUTING: "-A PREROUTING -d ${vip}/32 -j NOTRACK"`);
  });

  it('does not call it healthy where another rule stops what is translated, and blames nothing of kube-proxy', () => {
    const all = report(changed(iptables, { [rules]: lineBefore(/-A FORWARD /, '[0:0] -A FORWARD -i cni0 -j DROP') }));
    expect(all.findings.map(({ severity, kind }) => `${severity} ${kind}`)).toEqual(['note stopped-after']);
    expect(all.verdict).toMatchObject({
      status: 'healthy',
      summary: expect.stringMatching(/^the rules of kube-proxy on 3 nodes do .*; but node n1/),
    });
    const text = renderVerifyText(all, { color: false, width: 200, verbose: 0 });
    expect(text).toMatch(/^RULES AS INTENDED: /);
    expect(text).toMatch(/\| .*-A FORWARD -i cni0 -j DROP/);
    expect(all.findings[0]?.next.join(' ')).not.toMatch(/--from node|kube-proxy/);
  });

  it('finds a reject rule that should have gone', () => {
    const found = at((text) =>
      lineBefore(
        /-A KUBE-FORWARD /,
        `[0:0] -A KUBE-SERVICES -d ${vip}/32 -p tcp -m comment --comment "default/my-service:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable`,
      )(without(portal)(text)),
    );
    expect(found).toEqual([expect.stringMatching(/^fault wrong-verdict n1 pod\+node\+endpoint: filter KUBE-SERVICES: .* -j REJECT/)]);
  });

  it('tells masquerading that is missing from masquerading that is too much', () => {
    // flannel hides the node from the pods of other nodes all the same, and not from those of its own.
    expect(at(without(new RegExp(`-A ${svc} ! -s .* -j KUBE-MARK-MASQ`)))).toEqual([
      'fault wrong-masquerade n1 node: no rule of kube-proxy marks it to be masqueraded, or none of POSTROUTING heeds the mark',
    ]);
    const much = report(changed(iptables, { [rules]: (text) => text.replace(new RegExp(`(-A ${svc}) ! -s \\S+`), '$1') })).findings;
    expect(much.map(({ kind, from }) => `${kind} ${from.join('+')}`)).toEqual(['wrong-masquerade pod+endpoint']);
  });

  it("finds what another backend's or mode's kube-proxy has left, also where it does the same", () => {
    const legacy = changed(iptables, { 'node/n1/iptables-legacy-save': () => iptables.entries.get(rules)?.stdout ?? '' });
    expect(report(legacy).findings.map(({ severity, kind, node }) => `${severity} ${kind} ${node}`)).toEqual(['fault doubled n1']);
    const table =
      /table ip kube-proxy \{[\s\S]*?\n\}\n/.exec(nftables.entries.get(nft)?.stdout ?? '')?.[0].replaceAll(address(nftables), vip) ?? '';
    const both = changed(iptables, { [nft]: (text) => text + table });
    expect(report(both).findings.map(({ severity, kind, node }) => `${severity} ${kind} ${node}`)).toEqual(['fault doubled n1']);
    expect(report(both).findings[0]?.evidence[0]?.command).toBe('nft list ruleset');
  });
});

describe('nftables mode, one thing wrong on one node', () => {
  const own = address(nftables);
  const at = (change: (text: string) => string) => said(changed(nftables, { [nft]: change }));
  const v4 = (change: (text: string) => string) => (text: string) => text.replace(/table ip kube-proxy \{[\s\S]*?\n\}\n/, change);

  it('nothing is wrong before', () => expect(said(nftables)).toEqual([]));

  it('names the hook whose jump is gone', () => {
    expect(at(v4((table) => table.replace(/(chain nat-prerouting \{\n.*\n)\t\tjump services\n/, '$1')))).toEqual([
      'fault unhooked n1 pod+endpoint: kube-proxy nat-prerouting has no jump to services, where its rule is',
    ]);
  });

  it('names the map that lacks the Service', () => {
    expect(at((text) => text.replace(new RegExp(`\\s*${own} \\. tcp \\. 80 : goto [^,]+,`), ''))).toEqual([
      `fault missing n1 pod+node+endpoint: map service-ips has nothing for ${own}:80/tcp`,
    ]);
  });

  it('calls a Service chain that was flushed by its name', () => {
    expect(at((text) => text.replace(/(chain (service-\w+-default\/my-service\S*) \{\n).*\n/, '$1'))).toEqual([
      expect.stringMatching(
        /^fault missing n1 pod\+node\+endpoint: chain service-\w+-default\/my-service\/tcp\/http, to which its rule leads, is empty$/,
      ),
    ]);
  });

  it('finds a table of somebody else that drops before', () => {
    const table = `table inet guard {\n\tchain pre {\n\t\ttype filter hook prerouting priority -150; policy accept;\n\t\tip daddr ${own} drop\n\t}\n}\n`;
    expect(at((text) => text + table)).toEqual([`fault shadowed n1 pod+endpoint: guard pre: "ip daddr ${own} drop"`]);
  });

  it('finds the rules that iptables mode has left', () => {
    const left = changed(nftables, { [rules]: () => (iptables.entries.get(rules)?.stdout ?? '').replaceAll(vip, own) });
    expect(
      report(left)
        .findings.filter(({ severity }) => severity === 'fault')
        .map(({ kind, node }) => `${kind} ${node}`),
    ).toEqual(['doubled n1']);
  });
});

describe('what is not known', () => {
  const gone = (text: string) => without(portal)(text);

  it('never calls a rule missing that may stand in the part that was cut off', () => {
    const cut = changed(iptables, { [rules]: (text) => gone(text).slice(0, gone(text).lastIndexOf('COMMIT')) });
    expect(said(cut)).toEqual([]);
    const { verdict, nodes, notChecked } = report(cut);
    expect(verdict.status).toBe('unknown');
    expect(nodes.map(({ state }) => state)).toEqual(['unknown', 'as-intended', 'as-intended']);
    expect(notChecked.length).toBeGreaterThan(0);
  });

  it.each(['iptables-save', 'iptables-legacy-save', 'ip-addr', 'ip-route'])('says so where %s could not be read', (name) => {
    const entry = iptables.entries.get(`node/n1/${name}`);
    if (entry === undefined) throw new Error(name);
    const without = withEntries(changed(iptables, { [rules]: gone }), [
      { ...entry, stdout: '', exit: null, failure: { reason: 'forbidden', detail: 'not allowed' } },
    ]);
    expect(said(without)).toEqual([]);
    expect(report(without).verdict.status).toBe('unknown');
  });

  it('does not take a cluster without any sign of kube-proxy for one whose rules are gone', () => {
    const bare = (text: string) => without(/KUBE-(SERVICES|SVC|SEP|NODEPORTS|EXTERNAL|PROXY-FIREWALL|POSTROUTING|FORWARD|MARK)/)(text);
    const none = changed(iptables, {
      ...Object.fromEntries(['n1', 'n2', 'n3'].map((node) => [`node/${node}/iptables-save`, bare])),
      'api/apis/apps/v1/namespaces/kube-system/daemonsets': (text) => text.replaceAll('kube-proxy', 'other-proxy'),
      'api/api/v1/namespaces/kube-system/pods': (text) => text.replaceAll('kube-proxy', 'other-proxy'),
    });
    const silent = withEntries(
      none,
      [...none.entries.values()].filter(({ key }) => key.includes('kube-proxy-mode')).map((entry) => ({ ...entry, stdout: '', exit: 7 })),
    );
    expect(said(silent)).toEqual([]);
    expect(report(silent).verdict.status).toBe('unknown');
  });
});

describe('settling', () => {
  const slices = 'api/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  const started = Date.parse(iptables.manifest.startedAt);
  /** All nodes still have an endpoint that the API has replaced so many seconds ago. */
  const late = (seconds: number, nodes: readonly string[] = ['n1', 'n2', 'n3']) => {
    const time = new Date(started - seconds * 1000).toISOString();
    const replaced = changed(iptables, {
      [slices]: (text) => {
        const list = JSON.parse(text);
        for (const { metadata, endpoints } of list.items) {
          if (metadata.labels['kubernetes.io/service-name'] !== 'my-service') continue;
          metadata.annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': time };
          for (const item of endpoints) if (item.addresses[0] === endpoint) item.addresses = ['10.244.1.99'];
        }
        return JSON.stringify(list);
      },
    });
    const others = ['n1', 'n2', 'n3'].filter((node) => !nodes.includes(node));
    return others.length === 0
      ? replaced
      : changed(
          replaced,
          Object.fromEntries(
            others.map((node) => [
              `node/${node}/iptables-save`,
              (text: string) => text.replaceAll(`${endpoint}:${endpointPort}`, `10.244.1.99:${endpointPort}`),
            ]),
          ),
        );
  };
  const severities = (snapshot: typeof iptables) =>
    report(snapshot).findings.map(({ severity, kind, node }) => `${severity} ${kind} ${node}`);

  it('waits for kube-proxy as long as its sync period', () => {
    expect(severities(late(5))).toEqual(['settling stale-endpoint n1', 'settling stale-endpoint n2', 'settling stale-endpoint n3']);
    expect(report(late(5)).verdict).toMatchObject({ status: 'healthy', summary: expect.stringContaining('too young to tell') });
    expect(severities(late(31))).toEqual(['fault stale-endpoint n1', 'fault stale-endpoint n2', 'fault stale-endpoint n3']);
  });

  it('does not wait for a node whose peers have done it, nor for a kube-proxy that does not answer', () => {
    expect(severities(late(5, ['n1']))).toEqual(['fault stale-endpoint n1']);
    expect(severities(late(1, ['n1']))).toEqual(['settling stale-endpoint n1']);
    const health = {
      key: 'node/n1/kube-proxy-health',
      command: 'curl',
      on: { kind: 'node', name: 'n1' } as const,
      exit: 7,
      stdout: '',
      stderr: '',
    };
    expect(severities(withEntries(late(1), [health]))).toEqual([
      'fault stale-endpoint n1',
      'settling stale-endpoint n2',
      'settling stale-endpoint n3',
    ]);
  });

  it('takes what changed while the rules were read for too young', () => {
    const again = iptables.entries.get(slices);
    if (again === undefined) throw new Error('no slices');
    const changedMeanwhile = withEntries(changed(iptables, { [rules]: without(portal) }), [
      { ...again, key: `after/${slices}`, stdout: again.stdout.replace(/"resourceVersion":"\d+"/g, '"resourceVersion":"999999"') },
    ]);
    expect(severities(changedMeanwhile)).toEqual(['settling missing n1']);
  });
});

describe('rules for what no Service has', () => {
  const everything = (snapshot: typeof iptables) => {
    const list = (key: string) => JSON.parse(snapshot.entries.get(key)?.stdout ?? '{"items":[]}').items as { metadata: { name: string } }[];
    const services = [
      JSON.parse(snapshot.entries.get('api/api/v1/namespaces/default/services/my-service')?.stdout ?? '{}'),
      ...list('api/api/v1/namespaces/kube-system/services'),
    ];
    const all = { ...(snapshot.entries.get('api/api/v1/nodes') as NonNullable<ReturnType<typeof snapshot.entries.get>>) };
    return withEntries(snapshot, [{ ...all, key: 'api/api/v1/services', stdout: JSON.stringify({ items: services }) }]);
  };

  it('are found where all Services are known', () => {
    // default/kubernetes is in no list of these recordings: to them its rules are of no Service, on all nodes alike.
    const findings = report(everything(iptables)).findings;
    expect(findings.map(({ severity, kind }) => `${severity} ${kind}`)).toEqual([
      'note stale-front',
      'note stale-front',
      'note stale-front',
    ]);
    expect(findings[0]?.title).toContain('10.96.0.1:443/tcp');
    expect(findings[0]?.evidence[0]?.lines[0]?.text).toContain('-A KUBE-SERVICES -d 10.96.0.1/32');
  });

  it('and are a fault on the one node that still has them', () => {
    const extra = changed(everything(iptables), {
      [rules]: lineBefore(
        /-A KUBE-SERVICES /,
        '[0:0] -A KUBE-SERVICES -d 10.96.9.9/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA',
      ),
    });
    expect(
      report(extra)
        .findings.filter(({ severity }) => severity === 'fault')
        .map(({ kind, node, peers }) => `${kind} ${node} ${peers.right.join('+')}`),
    ).toEqual(['stale-front n1 n2+n3']);
  });
});
