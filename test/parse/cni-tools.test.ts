import { describe, expect, it } from 'vitest';
import { parseAntctl } from '../../src/parse/antctl.ts';
import { parseBirdc } from '../../src/parse/birdc.ts';
import { parseCalicoctl } from '../../src/parse/calicoctl.ts';
import { parseCilium } from '../../src/parse/cilium.ts';
import { parseHubble } from '../../src/parse/hubble.ts';
import { parseOvsOfctl } from '../../src/parse/ovs-ofctl.ts';
import { parseWeave } from '../../src/parse/weave.ts';
import { holdsForAnyText } from './properties.ts';

// Layouts as the tools of the versions named in each parser print them; addresses and names are of the documentation ranges.
const joined = (...lines: string[]): string => `${lines.join('\n')}\n`;

describe('parseCalicoctl', () => {
  const text = joined(
    'Calico process is running.',
    '',
    'IPv4 BGP status',
    '+--------------+-------------------+-------+----------+--------------------------------+',
    '| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |              INFO              |',
    '+--------------+-------------------+-------+----------+--------------------------------+',
    '| 192.0.2.12   | node-to-node mesh | up    | 23:18:20 | Established                    |',
    '| 192.0.2.13   | node-to-node mesh | start | 23:18:19 | Active Socket: Connection      |',
    '|              |                   |       |          | refused                        |',
    '+--------------+-------------------+-------+----------+--------------------------------+',
    '',
    'IPv6 BGP status',
    'No IPv6 peers found.',
    '',
  );
  holdsForAnyText(parseCalicoctl, [text]);

  it('joins an INFO cell that goes on in the next row', () => {
    const { value, complete } = parseCalicoctl(text);
    expect(value.peers).toMatchObject([
      { line: 7, family: 4, peer: '192.0.2.12', state: 'up', established: true },
      { line: 8, peer: '192.0.2.13', info: 'Active Socket: Connection refused', established: false },
    ]);
    expect([complete, value.processRunning?.running]).toEqual([true, true]);
  });
  it('is not complete when the table is cut', () => expect(parseCalicoctl(text.split('\n').slice(0, 8).join('\n')).complete).toBe(false));
});

describe('parseBirdc', () => {
  const raw = joined(
    '0001 BIRD 1.5.0 ready.',
    'show protocols',
    '2002-name     proto    table    state  since       info',
    '1002-kernel1  Kernel   master   up     16:36:22',
    ' device1  Device   master   up     16:36:22',
    ' Node_192_0_2_1 BGP      master   up     05:21:27    Established',
    '0000',
  );
  const two = joined(
    'BIRD 2.14 ready.',
    'Name       Proto      Table      State  Since         Info',
    'rr1        BGP        ---        start  2026-01-24 11:02:03  Active        Socket: Connection refused',
  );
  const routes = joined(
    'BIRD v0.3.3+birdv1.6.8 ready.',
    '10.244.2.0/26       via 192.0.2.12 on eth0 [Mesh_192_0_2_12 09:15:01] * (100/0) [i]',
    'blackhole'.replace('blackhole', '10.244.1.0/26       blackhole [static1 09:15:01] * (200)'),
    '10.244.1.7/32       dev cali0123456789a [kernel1 09:15:01] * (10)',
  );
  holdsForAnyText(parseBirdc, [raw, two, routes]);

  it('reads the raw control socket, and takes a piece of an answer for a piece', () => {
    expect(parseBirdc(raw)).toMatchObject({
      complete: true,
      value: {
        ended: true,
        protocols: [{ name: 'kernel1' }, { name: 'device1' }, { name: 'Node_192_0_2_1', established: true, info: 'Established' }],
      },
    });
    expect(parseBirdc(raw.slice(0, raw.indexOf('0000\n'))).complete).toBe(false);
  });
  it('reads BIRD 2, whose Since has a blank', () => {
    expect(parseBirdc(two).value.protocols).toMatchObject([
      { table: '---', state: 'start', since: '2026-01-24 11:02:03', established: false, info: 'Active        Socket: Connection refused' },
    ]);
  });
  it('reads routes', () => {
    const { value, unparsed } = parseBirdc(routes);
    expect(unparsed).toEqual([]);
    expect(value.routes).toMatchObject([
      { prefix: '10.244.2.0/26', via: '192.0.2.12', device: 'eth0', protocol: 'Mesh_192_0_2_12', isBest: true },
      { prefix: '10.244.1.0/26', type: 'blackhole', protocol: 'static1' },
      { prefix: '10.244.1.7/32', device: 'cali0123456789a', protocol: 'kernel1' },
    ]);
  });
});

describe('parseCilium', () => {
  const status = joined(
    'KVStore:                Ok   Disabled',
    'KubeProxyReplacement:   Strict   [eth0 (Direct Routing)]',
    'IPAM:                   IPv4: 3/254 allocated from 10.0.7.0/24, ',
    'Allocated addresses:',
    '  10.0.7.152 (router)',
    'Controller Status:      21/22 healthy',
    '  Name                                  Last success   Last error   Count   Message',
    '  cilium-health-ep                      23m36s ago     49s ago      29      Get "http://10.0.7.248:4240/hello": timeout',
    'Cluster health:         0/1 reachable   (2026-02-05T14:02:54+01:00)',
    '  Name                IP              Reachable   Endpoints reachable',
    '    one (localhost)   192.0.2.1       true        false',
  );
  const services = joined(
    'ID   Frontend            Service Type   Backend',
    '1    10.96.0.1:443       ClusterIP      1 => 192.0.2.1:6443 (active)',
    '2    10.96.0.10:53       ClusterIP      1 => 10.0.1.5:53 (active)',
    '                                        2 => 10.0.2.5:53 (terminating)',
    '3    10.96.7.7:80        ClusterIP      ',
  );
  const lb = joined(
    'SERVICE ADDRESS      BACKEND ADDRESS (REVNAT_ID) (SLOT)',
    '10.96.0.10:53 (1)    10.0.1.5:53 (4) (1)',
    '10.96.0.10:53 (0)    0.0.0.0:0 (4) (0) [ClusterIP, non-routable]',
    '10.96.0.10:53 (2)    10.0.2.5:53 (4) (2)',
  );
  const monitor = joined(
    'xx drop (Policy denied) flow 0xf6c2e9a8 to endpoint 1123, ifindex 12, file bpf_lxc.c:2070, , identity 4->5: 10.0.1.20:45000 -> 10.0.1.21:80 tcp SYN',
    '-> endpoint 1123 flow 0x1 , identity 4->5 state new ifindex lxc1 orig-ip 10.0.1.20: 10.0.1.20:45000 -> 10.0.1.21:80 tcp SYN',
  );
  holdsForAnyText(parseCilium, [status, services, lb, monitor]);

  it('reads status with its rows', () => {
    const { value, unparsed } = parseCilium(status);
    expect(unparsed).toEqual([]);
    expect(value.status.find(({ key }) => key === 'KubeProxyReplacement')).toMatchObject({
      line: 2,
      value: 'Strict   [eth0 (Direct Routing)]',
    });
    expect(value.rows.filter(({ below }) => below === 'Controller Status')[1]?.cells.slice(0, 2)).toEqual([
      'cilium-health-ep',
      '23m36s ago',
    ]);
  });
  it('reads backends by service, none where there are none', () => {
    const { value, unparsed } = parseCilium(services);
    expect(unparsed).toEqual([]);
    expect(value.services.map(({ frontend, backends }) => [frontend, backends.map(({ address, state }) => [address, state])])).toEqual([
      ['10.96.0.1:443', [['192.0.2.1:6443', 'active']]],
      [
        '10.96.0.10:53',
        [
          ['10.0.1.5:53', 'active'],
          ['10.0.2.5:53', 'terminating'],
        ],
      ],
      ['10.96.7.7:80', []],
    ]);
  });
  it('does not take the master entry for a backend, wherever it stands', () => {
    const { value, unparsed } = parseCilium(lb);
    expect(unparsed).toEqual([]);
    expect(value.services).toMatchObject([
      { frontend: '10.96.0.10:53', hasMaster: true, backends: [{ address: '10.0.1.5:53' }, { address: '10.0.2.5:53' }] },
    ]);
  });
  it('reads drops', () => {
    expect(parseCilium(monitor).value.events).toMatchObject([
      { kind: 'drop', reason: 'Policy denied', source: '10.0.1.20:45000', destination: '10.0.1.21:80' },
      { kind: 'trace' },
    ]);
  });
});

describe('parseHubble', () => {
  const json = `${JSON.stringify({ flow: { time: '2026-06-01T00:00:00Z', verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', IP: { source: '10.0.1.20', destination: '10.0.1.21' }, l4: { TCP: { source_port: 45000, destination_port: 80 } }, source: { namespace: 'shop', pod_name: 'client', identity: 4 }, destination: { namespace: 'shop', pod_name: 'web' }, is_reply: false, Type: 'L3_L4', Summary: 'TCP Flags: SYN' }, node_name: 'n1' })}\n`;
  const text = joined(
    'Jun  1 00:00:00.123: shop/client:45000 (ID:4) -> shop/web:80 (ID:5) policy-verdict:none DENIED (TCP Flags: SYN)',
    'Jun  1 00:00:00.123: 10.0.1.20:45000 <> shop/web:80 Policy denied DROPPED (TCP Flags: SYN)',
  );
  holdsForAnyText(parseHubble, [json, text]);

  it('reads JSON', () => {
    expect(parseHubble(json).value.flows).toMatchObject([
      {
        verdict: 'DROPPED',
        dropReason: 'POLICY_DENIED',
        source: { address: '10.0.1.20', port: 45000, pod: 'shop/client' },
        destination: { pod: 'shop/web', port: 80 },
        direction: 'forward',
        protocol: 'TCP',
        node: 'n1',
      },
    ]);
  });
  it('reads the compact text; <> is no direction', () => {
    const { value, unparsed } = parseHubble(text);
    expect(unparsed).toEqual([]);
    expect(value.flows.map(({ verdict, direction, dropReason }) => [verdict, direction, dropReason])).toEqual([
      ['DENIED', 'forward', 'policy-verdict:none'],
      ['DROPPED', undefined, 'Policy denied'],
    ]);
  });
  it('is not complete when events were lost', () =>
    expect(parseHubble(`${json}EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 5\n`).complete).toBe(false));
});

describe('parseOvsOfctl', () => {
  const text = joined(
    'NXST_FLOW reply (xid=0x4):',
    ' cookie=0x1020000000000, duration=78342.418s, table=70, n_packets=117620, n_bytes=58900123, priority=200,ip,nw_dst=172.28.2.0/24 actions=dec_ttl,set_field:aa:bb:cc:dd:ee:ff->eth_dst,load:0x1->NXM_NX_REG0[16],set_field:192.0.2.23->tun_dst,resubmit(,105)',
    ' cookie=0x1030000000000, duration=1.5s, table=0, n_packets=0, n_bytes=0, priority=0 actions=drop',
  );
  holdsForAnyText(parseOvsOfctl, [text]);

  it('keeps the actions whole', () => {
    const { value, unparsed } = parseOvsOfctl(text);
    expect(unparsed).toEqual([]);
    expect(value.flows[0]).toMatchObject({
      line: 2,
      table: '70',
      priority: 200,
      packets: 117620,
      durationSeconds: 78342.418,
      match: { ip: '', nw_dst: '172.28.2.0/24' },
    });
    expect(value.flows[0]?.actions).toMatch(/resubmit\(,105\)$/);
    expect(value.flows[1]).toMatchObject({ table: '0', match: {}, actions: 'drop' });
  });
  it('does not take a cut flow for a flow', () => expect(parseOvsOfctl(text.slice(0, 150)).unparsed).toHaveLength(1));
});

describe('parseAntctl', () => {
  const table = joined('TABLE-ID TABLE-NAME', '0        PipelineRootClassifier', '12       ServiceLB');
  const flows = joined(
    'FLOW',
    'table=IngressRule, n_packets=5, n_bytes=370, priority=190,conj_id=4,ip actions=set_field:0x4->reg6,goto_table:IngressMetric',
  );
  const trace = joined(
    'name: default-a-to-default-b',
    'phase: Succeeded',
    'noderesults:',
    '- node: n1',
    '  observations:',
    '  - component: Forwarding',
    '    action: Delivered',
  );
  holdsForAnyText(parseAntctl, [table, flows, trace]);

  it('reads tables by column, flows with table names, and YAML', () => {
    expect(parseAntctl(table).value.rows).toEqual([
      { line: 2, cells: { 'TABLE-ID': '0', 'TABLE-NAME': 'PipelineRootClassifier' } },
      { line: 3, cells: { 'TABLE-ID': '12', 'TABLE-NAME': 'ServiceLB' } },
    ]);
    expect(parseAntctl(flows).value.flows).toMatchObject([{ table: 'IngressRule', match: { conj_id: '4', ip: '' } }]);
    expect(parseAntctl(trace).value.settings).toContainEqual({ path: 'noderesults.0.observations.0.action', value: 'Delivered', line: 7 });
  });
});

describe('parseWeave', () => {
  const text = joined(
    '        Version: 2.8.1 (up to date; next check at 2026/06/01 00:00:00)',
    '',
    '        Service: router',
    '    Connections: 3 (2 established, 1 pending)',
    '',
    '<- 192.0.2.12:39316   established fastdp d2:80:69:fe:6a:b5(host2) mtu=1376',
    '-> 192.0.2.15:6783    pending     none   3a:a5:fe:cc:8d:c2(host3)',
    '-> 192.0.2.16:6783    failed      dial tcp :0->192.0.2.16:6783: connect: connection refused, retry: 2026-06-01 00:00:00 +0000 UTC',
  );
  holdsForAnyText(parseWeave, [text]);

  it('reads connections with and without an overlay', () => {
    const { value, unparsed } = parseWeave(text);
    expect(unparsed).toEqual([]);
    expect(value.connections.map(({ direction, state, overlay, mtu }) => [direction, state, overlay, mtu])).toEqual([
      ['in', 'established', 'fastdp', 1376],
      ['out', 'pending', 'none', undefined],
      ['out', 'failed', '', undefined],
    ]);
    expect(value.connections[2]?.info).toMatch(/connection refused/);
    expect(value.status.find(({ key }) => key === 'Connections')).toMatchObject({
      service: 'router',
      value: '3 (2 established, 1 pending)',
    });
  });
});
