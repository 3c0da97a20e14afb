import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNamespaceName, isObjectName, isPort, nearNames, parseFrom, parseTarget } from '../../src/collect/target.ts';

const target = (name: string, namespace: string | null = null, port: string | null = null) => ({
  ok: true,
  target: { name, namespace, port },
});

describe('parseTarget', () => {
  it.each([
    [['my-service'], target('my-service')],
    [['svc/my-service'], target('my-service')],
    [['service', 'my-service'], target('my-service')],
    [['Services/my-service'], target('my-service')],
    [['services.v1./my-service'], target('my-service')],
    [['my-service.shop'], target('my-service', 'shop')],
    [['my-service.shop.svc'], target('my-service', 'shop')],
    [['my-service.shop.svc.cluster.local'], target('my-service', 'shop')],
    [['my-service.shop.svc.cluster.local.:8080'], target('my-service', 'shop', '8080')],
    [['svc/my-service:http'], target('my-service', null, 'http')],
    [['svc', 'my-service.shop:80'], target('my-service', 'shop', '80')],
  ])('%j', (words, expected) => {
    expect(parseTarget(words)).toEqual(expected);
  });

  it.each([
    [[], /no target/],
    [['a', 'b', 'c'], /too many arguments/],
    [['pod/web-0'], /k8snet diagnose is for Services, not pod: write svc\/NAME/],
    [['deploy', 'web'], /not deploy/],
    [['foo/bar'], /"foo" is no kind/],
    [['svc/'], /is not a Service name/],
    [['svc/a/b'], /a name has no "\/"/],
    [['My-Service'], /lower-case/],
    [['my_service'], /is not a Service name/],
    [['www.example.com'], /write NAME, NAME\.NAMESPACE/],
    [['a:80:81'], /write the port once/],
    [['a:'], /write the port once/],
    [['a:0'], /neither a port number/],
    [['a:65536'], /neither a port number/],
    [['a:HTTP'], /neither a port number/],
    [['-oops'], /is not a Service name/],
    [['$(reboot)'], /is not a Service name/],
    [['..'], /is not a Service name/],
    [['../../nodes'], /is no kind|is not a Service name/],
    [[`a${'b'.repeat(63)}`], /is not a Service name/],
  ])('%j is refused, in a sentence', (words, sentence) => {
    expect(parseTarget(words)).toEqual({ ok: false, sentence: expect.stringMatching(sentence) });
  });

  it('names the command that it was given to', () => {
    const told = (words: string) => ({ ok: false, sentence: expect.stringContaining(words) });
    expect(parseTarget([], 'capture')).toEqual(told('k8snet capture svc/my-service'));
    expect(parseTarget(['pod/client'], 'capture')).toEqual(told('k8snet capture is for Services, not pod'));
    expect(parseTarget(['node/n2:10250'], 'trace')).toEqual(told('k8snet trace is for Services, pods and addresses, not node'));
  });

  it('lets nothing through that could leave a path or a shell word', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 3 }), (words) => {
        const result = parseTarget(words);
        if (!result.ok) return;
        expect(result.target.name).toMatch(/^[a-z0-9][-a-z0-9]{0,62}$/);
        if (result.target.namespace !== null) expect(result.target.namespace).toMatch(/^[a-z0-9][-a-z0-9]{0,62}$/);
        if (result.target.port !== null) expect(result.target.port).toMatch(/^[a-z0-9][-a-z0-9]{0,62}$/);
      }),
    );
  });
});

describe('parseFrom', () => {
  it.each([
    ['client', 'pod', null, 'client'],
    ['pod/client', 'pod', null, 'client'],
    ['po/shop/client', 'pod', 'shop', 'client'],
    ['deploy/web', 'deploy', null, 'web'],
    ['deployment.apps/web', 'deploy', null, 'web'],
    ['Deployments/shop/web', 'deploy', 'shop', 'web'],
    ['node/ip-10-0-0-1.eu-west-1.compute.internal', 'node', null, 'ip-10-0-0-1.eu-west-1.compute.internal'],
  ])('%s', (text, kind, namespace, name) => {
    expect(parseFrom(text)).toEqual({ ok: true, from: { kind, namespace, name } });
  });

  it.each(['', 'pod/', 'svc/x', 'node/a/b', 'pod/a/b/c', 'pod/a b', 'pod/$(x)', 'pod/-x', 'pod/Ä', 'pod/../x', 'sts/web'])(
    '"%s" is refused',
    (text) => {
      expect(parseFrom(text)).toEqual({ ok: false, sentence: expect.stringContaining(`--from ${text}`) });
    },
  );
});

describe('names', () => {
  it('follow RFC 1123, as the API server checks them', () => {
    expect([
      isNamespaceName('kube-system'),
      isNamespaceName('a.b'),
      isNamespaceName(''),
      isNamespaceName('-a'),
      isNamespaceName('../x'),
    ]).toEqual([true, false, false, false, false]);
    expect([
      isObjectName('a.b-c.d'),
      isObjectName('a..b'),
      isObjectName('a.'),
      isObjectName('a'.repeat(64)),
      isObjectName(Array(64).fill('abc').join('.')),
    ]).toEqual([true, false, false, false, false]);
    expect([isPort('1'), isPort('65535'), isPort('http'), isPort('0'), isPort('65536'), isPort('-1'), isPort('')]).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('that are near: a typing error, a part, never anything far away', () => {
    const names = ['my-service', 'my-services', 'your-service', 'web', 'kube-dns', 'my-service-canary'];
    expect(nearNames('my-servcie', names)).toContain('my-service');
    expect(nearNames('my-service-canar', names)).toEqual(['my-service-canary', 'my-service']);
    expect(nearNames('wbe', names)).toEqual(['web']);
    expect(nearNames('prometheus', names)).toEqual([]);
    expect(nearNames('x', [])).toEqual([]);
    expect(nearNames('service', names).length).toBeLessThanOrEqual(3);
  });
});
