import { describe, expect, it } from 'vitest';
import { parseCniConfig } from '../../src/parse/cni-config.ts';
import { parseCorednsLog } from '../../src/parse/coredns-log.ts';
import { parseCorefile, zonesServedBy } from '../../src/parse/corefile.ts';
import { parseKubeProxyConfig } from '../../src/parse/kube-proxy-config.ts';
import { parseKubeProxyLog } from '../../src/parse/kube-proxy-log.ts';
import { parseKubeletConfig } from '../../src/parse/kubelet-config.ts';
import { parseSandboxEvents } from '../../src/parse/sandbox-events.ts';
import { holdsForAnyText } from './properties.ts';
import { sample } from './samples.ts';

describe('parseCorefile', () => {
  const text = sample('rec-corefile.txt');
  holdsForAnyText(parseCorefile, [text]);

  it('tells which zones the kubernetes plugin serves, and where the rest goes', () => {
    const { value, complete } = parseCorefile(text);
    const [server] = value.servers;
    const plugin = (name: string) => server?.plugins.find((candidate) => candidate.name === name);
    const kubernetes = plugin('kubernetes');
    expect(complete).toBe(true);
    expect(server?.zones).toEqual([{ line: 1, zone: '.', scheme: 'dns', port: 53 }]);
    expect(server && kubernetes && zonesServedBy(server, kubernetes)).toEqual(['cluster.local', 'in-addr.arpa', 'ip6.arpa']);
    expect(plugin('forward')).toMatchObject({
      line: 13,
      args: ['.', '/etc/resolv.conf'],
      body: [{ name: 'max_concurrent', args: ['1000'] }],
    });
  });
  it('reads several blocks, snippets, imports and quoted arguments', () => {
    const { value, unparsed } = parseCorefile(
      '(log) {\n  log\n}\nexample.org:1053 10.0.0.0/24 {\n  import log\n  template IN A {\n    answer "{{ .Name }} 60 IN A 10.0.0.1"\n  }\n}\n# end\n',
    );
    expect(unparsed).toEqual([]);
    expect(value.snippets[0]?.plugins).toMatchObject([{ name: 'log' }]);
    expect(value.servers[0]?.zones.map(({ zone, port }) => [zone, port])).toEqual([
      ['example.org', 1053],
      ['10.0.0.0/24', undefined],
    ]);
    expect(value.servers[0]?.plugins[1]?.body[0]?.args).toEqual(['{{ .Name }} 60 IN A 10.0.0.1']);
  });
  it('is not complete when cut', () => {
    const { complete, unparsed } = parseCorefile(text.slice(0, 150));
    expect([complete, unparsed.length > 0]).toEqual([false, true]);
  });
});

describe('parseCorednsLog', () => {
  const text = sample('rec-coredns-log.txt');
  holdsForAnyText(parseCorednsLog, [text]);

  it('reads a failed upstream query with its cause and ends', () => {
    const { value, unparsed } = parseCorednsLog(text);
    expect(unparsed).toEqual([]);
    const failed = value.entries.filter((entry) => entry.failed);
    expect(failed[0]).toMatchObject({
      level: 'ERROR',
      plugin: 'plugin/errors',
      failed: { rcode: 2, type: 'HINFO', upstream: '192.168.1.1:53' },
    });
    expect(new Set(failed.map((entry) => entry.failed?.failure.cause))).toEqual(new Set(['refused']));
  });
  it('reads a timeout, a loop and a query of the log plugin', () => {
    const lines = [
      '[ERROR] plugin/errors: 2 example.com. A: read udp 10.244.3.4:58686->192.168.1.1:53: i/o timeout',
      '[FATAL] plugin/loop: Loop (127.0.0.1:34536 -> :53) detected for zone ".", see https://coredns.io/plugins/loop#troubleshooting',
      '[INFO] 10.244.1.3:40500 - 32705 "A IN my-service.default.svc.cluster.local. udp 54 false 512" NOERROR qr,aa,rd 106 0.000171211s',
    ];
    const { value, unparsed } = parseCorednsLog(`${lines.join('\n')}\n`);
    expect(unparsed).toEqual([]);
    expect(value.entries[0]?.failed?.failure.cause).toBe('timeout');
    expect(value.entries[1]).toMatchObject({ level: 'FATAL', plugin: 'plugin/loop' });
    expect(value.entries[2]?.query).toMatchObject({
      client: '10.244.1.3',
      port: 40500,
      id: 32705,
      type: 'A',
      rcode: 'NOERROR',
      durationSeconds: 0.000171211,
    });
  });
});

describe('parseKubeProxyConfig', () => {
  const text = sample('rec-kube-proxy-config.yaml');
  holdsForAnyText(parseKubeProxyConfig, [text], 8);

  it('reads mode and cluster CIDR with their lines', () => {
    const { value, complete } = parseKubeProxyConfig(text);
    expect(value).toMatchObject({
      mode: { value: 'iptables', line: 3 },
      clusterCidrs: ['10.244.0.0/16'],
      conntrackMin: { value: 0, line: 6 },
    });
    expect(complete).toBe(true);
  });
  it('reads the same out of a ConfigMap, with the lines of the ConfigMap', () => {
    const map = `apiVersion: v1\nkind: ConfigMap\ndata:\n  config.conf: |-\n${text
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`)
      .join('\n')}\n  kubeconfig.conf: |-\n    kind: Config\nmetadata:\n  name: kube-proxy\n`;
    const { value, complete } = parseKubeProxyConfig(map);
    expect([value.mode?.line, value.mode?.value, complete]).toEqual([7, 'iptables', true]);
  });
  it('splits the two CIDRs of a dual-stack cluster, and does not take other YAML for it', () => {
    expect(
      parseKubeProxyConfig('kind: KubeProxyConfiguration\nclusterCIDR: 10.244.0.0/16,fd00:10:244::/56\nmode: ""\n').value.clusterCidrs,
    ).toEqual(['10.244.0.0/16', 'fd00:10:244::/56']);
    expect(parseKubeProxyConfig('kind: Config\n').complete).toBe(false);
  });
});

describe('parseKubeletConfig', () => {
  const text =
    'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nclusterDNS:\n- 10.96.0.10\n- fd00::a\nclusterDomain: cluster.local\nresolvConf: /run/systemd/resolve/resolv.conf\n';
  holdsForAnyText(parseKubeletConfig, [text], 8);

  it('reads the DNS servers, the domain and the file that pods inherit', () => {
    const { value, complete } = parseKubeletConfig(text);
    expect(value.clusterDns).toEqual([
      { line: 4, address: '10.96.0.10' },
      { line: 5, address: 'fd00::a' },
    ]);
    expect([value.clusterDomain?.value, value.resolvConf?.value, complete]).toEqual([
      'cluster.local',
      '/run/systemd/resolve/resolv.conf',
      true,
    ]);
  });
  it('reads the answer of /configz', () => {
    expect(parseKubeletConfig('{"kubeletconfig":{"clusterDNS":["10.96.0.10"],"resolvConf":"/etc/resolv.conf"}}').value).toMatchObject({
      clusterDns: [{ address: '10.96.0.10' }],
      resolvConf: { value: '/etc/resolv.conf' },
    });
  });
});

describe('parseCniConfig', () => {
  const text = sample('rec-cni-conf.txt');
  holdsForAnyText(parseCniConfig, [text], 8);

  it('reads the conflist of a node', () => {
    const { value, complete } = parseCniConfig(text);
    expect(complete).toBe(true);
    expect(value.files).toMatchObject([
      {
        path: '/etc/cni/net.d/10-flannel.conflist',
        form: 'conflist',
        name: 'cbr0',
        plugins: [
          {
            line: 3,
            type: 'bridge',
            bridge: 'cni0',
            mtu: 1450,
            hairpinMode: true,
            ipamType: 'host-local',
            subnets: [{ line: 4, subnet: '10.244.1.0/24' }],
          },
          { type: 'portmap', capabilities: ['portMappings'] },
        ],
      },
    ]);
  });
  it("reads flannel's delegate, Multus' delegates and ranges", () => {
    const multus =
      '{"name":"multus","type":"multus","delegates":[{"type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}]}';
    expect(parseCniConfig(multus).value.files[0]?.plugins[0]?.delegates[0]).toMatchObject({
      type: 'flannel',
      delegates: [{ type: 'bridge', hairpinMode: true }],
    });
    const ranges = '{"type":"ptp","ipam":{"type":"host-local","ranges":[[{"subnet":"10.0.0.0/24"}],[{"subnet":"fd00::/64"}]]}}';
    expect(parseCniConfig(ranges).value.files[0]?.plugins[0]?.subnets.map(({ subnet }) => subnet)).toEqual(['10.0.0.0/24', 'fd00::/64']);
  });
  it('does not take cut JSON or other JSON for a configuration', () => {
    expect(parseCniConfig(text.slice(0, -20)).complete).toBe(false);
    expect(parseCniConfig('{"a":1}')).toMatchObject({ complete: false, value: { files: [] } });
  });
});

describe('parseKubeProxyLog', () => {
  const text = sample('rec-kube-proxy-log.txt');
  holdsForAnyText(parseKubeProxyLog, [text]);

  it('tells the mode, and that the caches were synced', () => {
    const { value, unparsed } = parseKubeProxyLog(text);
    expect(unparsed).toEqual([]);
    expect(value.findings.filter(({ kind }) => kind === 'mode').map(({ detail }) => detail)).toContain('iptables');
    expect(value.findings.some(({ kind }) => kind === 'caches-synced')).toBe(true);
    expect(value.entries[2]).toMatchObject({
      level: 'info',
      message: 'Successfully retrieved NodeIPs',
      fields: { NodeIPs: '["192.168.1.11"]' },
    });
  });
  it('keeps a value that spans lines in its entry', () => {
    const lines = [
      'E1121 02:46:06.108245       1 proxier.go:1512] "Failed to execute iptables-restore" err=<',
      '\texit status 4: Another app is currently holding the xtables lock.',
      ' >',
      'I1121 02:46:06.121946       1 server.go:274] "kube-proxy running in dual-stack mode" primary ipFamily="IPv4"',
    ];
    const { value, unparsed } = parseKubeProxyLog(`${lines.join('\n')}\n`);
    expect(unparsed).toEqual([]);
    expect(value.entries.map((entry) => entry.lines)).toEqual([[1, 2, 3], [4]]);
    expect(value.findings).toMatchObject([{ line: 1, kind: 'sync-failed' }]);
    expect(value.findings[0]?.detail).toContain('xtables lock');
  });
  it('tells an API server that cannot be reached', () => {
    const line =
      'E1121 02:46:06.1 1 reflector.go:158] "Unhandled Error" err="failed to list *v1.Service: Get \\"https://10.0.0.1:6443/api\\": dial tcp 10.0.0.1:6443: connect: connection refused"\n';
    expect(parseKubeProxyLog(line).value.findings).toMatchObject([{ kind: 'api-unreachable' }]);
  });
});

describe('parseSandboxEvents', () => {
  const row = (age: string, message: string): string =>
    `  Warning  FailedCreatePodSandBox  ${age}  kubelet, worker-1  Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "0a1b": ${message}`;
  const text = [
    'Events:',
    '  Type     Reason                  Age                   From               Message',
    '  ----     ------                  ----                  ----               -------',
    '  Normal   Scheduled               5m8s                  default-scheduler  Successfully assigned default/web to worker-1',
    row(
      '2m52s (x35156 over 5d7h)',
      'plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.6',
    ),
    row('11s', 'plugin type="flannel" failed (add): open /run/flannel/subnet.env: no such file or directory'),
    row('<unknown>', 'failed to find plugin "calico-ipam" in path [/opt/cni/bin]'),
    row(
      '3s',
      'plugin type="cilium-cni" failed (add): unable to connect to Cilium agent: Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: no such file or directory',
    ),
  ].join('\n');
  holdsForAnyText(parseSandboxEvents, [text]);

  it('names what is missing', () => {
    const { value, unparsed } = parseSandboxEvents(text);
    expect(unparsed).toEqual([]);
    expect(value.events.map(({ failure, detail, count }) => [failure, detail, count])).toEqual([
      [undefined, undefined, undefined],
      ['no-addresses-left', '10.244.1.1-10.244.1.6', 35156],
      ['subnet-file-missing', '/run/flannel/subnet.env', undefined],
      ['plugin-missing', 'calico-ipam', undefined],
      ['agent-unreachable', '/var/run/cilium/cilium.sock', undefined],
    ]);
  });
  it('reads kubectl get events and a node condition', () => {
    const { value } = parseSandboxEvents(
      'LAST SEEN   TYPE      REASON   OBJECT   MESSAGE\n11s         Warning   NetworkNotReady   pod/web   network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized\n',
    );
    expect(value.events).toMatchObject([{ line: 2, reason: 'NetworkNotReady', failure: 'network-not-ready' }]);
  });
});
