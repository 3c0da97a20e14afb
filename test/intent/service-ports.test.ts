import { describe, expect, it } from 'vitest';
import { planNode } from '../../src/intent/node-plan.ts';
import { serviceEndpointsOf, servicePortsOf } from '../../src/intent/service-ports.ts';
import { defaultSettings } from '../../src/intent/settings.ts';
import { endpointSliceSchema, serviceSchema } from '../../src/schema/kubernetes.ts';

const service = (spec: object, more: object = {}) =>
  serviceSchema.parse({
    metadata: { name: 'web', namespace: 'shop', ...(more as { metadata?: object }).metadata },
    spec: { clusterIP: '10.96.0.9', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
    ...('status' in more ? { status: more.status } : {}),
  });

const slice = (name: string, endpoints: object[], more: object = {}) =>
  endpointSliceSchema.parse({
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' }, ...(more as { metadata?: object }).metadata },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints,
  });

describe('Services that kube-proxy leaves alone', () => {
  it.each([
    ['headless', service({ clusterIP: 'None', clusterIPs: ['None'] })],
    ['of type ExternalName', service({ type: 'ExternalName', externalName: 'example.org', clusterIP: undefined })],
    ['not given an address yet', service({ clusterIP: '' })],
    ['labelled for another proxy', service({}, { metadata: { labels: { 'service.kubernetes.io/service-proxy-name': 'other' } } })],
  ])('%s', (_, item) => expect(servicePortsOf(item, 'ip')).toEqual([]));
});

describe('ports of a Service', () => {
  it('takes of each list what is of the family', () => {
    const item = service(
      {
        type: 'LoadBalancer',
        clusterIPs: ['10.96.0.9', 'fd00:96::9'],
        externalIPs: ['192.0.2.9', '2001:db8::9'],
        loadBalancerSourceRanges: [' 10.0.0.0/8 ', '2001:db8:1::/48'],
        ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }],
      },
      { status: { loadBalancer: { ingress: [{ ip: '198.51.100.9' }, { ip: '2001:db8::99' }, { hostname: 'lb.example.org' }] } } },
    );
    expect(servicePortsOf(item, 'ip')).toMatchObject([
      {
        clusterIP: '10.96.0.9',
        externalIPs: ['192.0.2.9'],
        loadBalancerIPs: ['198.51.100.9'],
        sourceRanges: ['10.0.0.0/8'],
        nodePort: 30080,
      },
    ]);
    expect(servicePortsOf(item, 'ip6')).toMatchObject([
      { clusterIP: 'fd00:96::9', externalIPs: ['2001:db8::9'], loadBalancerIPs: ['2001:db8::99'], sourceRanges: ['2001:db8:1::/48'] },
    ]);
  });

  it('takes no address of a load balancer that proxies, and no range of everything', () => {
    const item = service(
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', '0.0.0.0/0'] },
      { status: { loadBalancer: { ingress: [{ ip: '198.51.100.9', ipMode: 'Proxy' }] } } },
    );
    expect(servicePortsOf(item, 'ip')).toMatchObject([{ loadBalancerIPs: [], sourceRanges: [] }]);
  });

  it('heeds externalTrafficPolicy only where there is a way in from outside', () => {
    const inside = { externalLocal: false, usesCluster: true, usesLocal: false };
    expect(servicePortsOf(service({ externalTrafficPolicy: 'Local' }), 'ip')).toMatchObject([inside]);
    const outside = { externalLocal: true, usesCluster: true, usesLocal: true };
    expect(servicePortsOf(service({ externalTrafficPolicy: 'Local', externalIPs: ['192.0.2.9'] }), 'ip')).toMatchObject([outside]);
    expect(servicePortsOf(service({ internalTrafficPolicy: 'Local' }), 'ip')).toMatchObject([{ usesCluster: false, usesLocal: true }]);
  });
});

describe('endpoints of a Service port', () => {
  const [port] = servicePortsOf(service({}), 'ip');
  if (port === undefined) throw new Error('no port');

  it('takes unset conditions for ready and serving, and the first address alone', () => {
    expect(serviceEndpointsOf(port, [slice('a', [{ addresses: ['10.244.1.2', '10.244.1.3'], nodeName: 'n1' }])], 'n1')).toMatchObject([
      { address: '10.244.1.2', port: 8080, ready: true, serving: true, terminating: false, isLocal: true },
    ]);
  });

  it('counts an address once that stands in two slices, and not as terminating when one of them says that it lives', () => {
    const dying = { addresses: ['10.244.1.2'], conditions: { ready: false, serving: true, terminating: true } };
    const living = { addresses: ['10.244.1.2'], conditions: { ready: true } };
    for (const order of [
      [dying, living],
      [living, dying],
    ]) {
      const found = serviceEndpointsOf(
        port,
        order.map((endpoint, index) => slice(`s${index}`, [endpoint])),
        'n1',
      );
      expect(found).toMatchObject([{ ready: true, terminating: false }]);
    }
  });

  it('leaves slices of other families, ports and headless Services out', () => {
    const endpoint = { addresses: ['10.244.1.2'] };
    const headless = slice('h', [endpoint], {
      metadata: { labels: { 'kubernetes.io/service-name': 'web', 'service.kubernetes.io/headless': '' } },
    });
    const other = { ...slice('o', [endpoint]), ports: [{ name: 'metrics', port: 9090, protocol: 'TCP' }] };
    const six = { ...slice('6', [{ addresses: ['fd00::2'] }]), addressType: 'IPv6' };
    expect(serviceEndpointsOf(port, [headless, other, six], 'n1')).toEqual([]);
  });
});

describe('a plan', () => {
  it('tells Services of the same name in different namespaces apart', () => {
    const twin = service({ clusterIP: '10.96.0.10' }, { metadata: { namespace: 'other' } });
    const plan = planNode(
      { services: [service({}), twin], slices: [slice('a', [{ addresses: ['10.244.1.2'] }])] },
      { name: 'n1', zone: '', addresses: [], primary: {}, nodeHintsCount: true },
      defaultSettings('iptables'),
      'ip',
    );
    expect(plan.fronts.map(({ address, planned }) => [address, planned.reach.hasAny])).toEqual([
      ['10.96.0.9', true],
      ['10.96.0.10', false],
    ]);
  });
});
