import { BlockList, isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressFromValue,
  cidrContains,
  cidrContainsCidr,
  cidrsOverlap,
  cidrText,
  compareAddresses,
  maskLength,
  networkText,
  parseAddress,
  parseCidr,
  parseScopedAddress,
  unmapped,
} from '../../src/model/ip.ts';

describe('addresses', () => {
  it.each([
    '010.0.0.1',
    '10.0.0',
    '10.0.0.1/24',
    ' 10.0.0.1',
    '10.0.0.256',
    '0x0a.0.0.1',
    '[::1]',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    '::ffff:01.2.3.4',
    '',
    'localhost',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('agrees with the system about what an address is, and its text reads back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: fc.constantFrom('0', '1', 'f', '.', ':'), maxLength: 18 })), (text) => {
        const address = parseAddress(text);
        expect(address !== undefined).toBe(isIPv4(text) || isIPv6(text));
        if (address !== undefined) expect(parseAddress(address.text)).toEqual(address);
      }),
    );
  });

  it('writes IPv4-mapped addresses with the IPv4 part, and takes it out', () => {
    const address = parseAddress('::ffff:10.0.0.1');
    expect(address?.text).toBe('::ffff:10.0.0.1');
    expect(address === undefined ? undefined : unmapped(address).text).toBe('10.0.0.1');
  });

  it('keeps the zone of a scoped address', () => {
    expect(parseScopedAddress('fe80::1%eth0')).toMatchObject({ zone: 'eth0', address: { text: 'fe80::1' } });
    expect(parseScopedAddress('fe80::1%')).toBeUndefined();
  });

  it('sorts IPv4 before IPv6 and by value', () => {
    const sorted = ['10.0.0.10', '::1', '10.0.0.9'].map((text) => parseAddress(text)).filter((address) => address !== undefined);
    expect(sorted.sort(compareAddresses).map(({ text }) => text)).toEqual(['10.0.0.9', '10.0.0.10', '::1']);
  });

  it('refuses values outside of the family', () => {
    expect(addressFromValue(4, 2n ** 32n)).toBeUndefined();
    expect(addressFromValue(6, 2n ** 128n - 1n)?.text).toBe('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
  });
});

describe('prefixes', () => {
  it.each(['10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/', '10.0/8', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8'])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it('keeps host bits as written and knows the network', () => {
    const cidr = parseCidr('10.0.0.5/24');
    expect(cidr === undefined ? undefined : [cidrText(cidr), networkText(cidr)]).toEqual(['10.0.0.5/24', '10.0.0.0/24']);
  });

  it('contains what the system says it contains', () => {
    const pair = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(32), fc.ipV4(), fc.constant('ipv4' as const)),
      fc.tuple(fc.ipV6(), fc.nat(128), fc.ipV6(), fc.constant('ipv6' as const)),
    );
    fc.assert(
      fc.property(pair, fc.boolean(), ([network, length, other, family], near) => {
        const list = new BlockList();
        list.addSubnet(network, length, family);
        const cidr = parseCidr(`${network}/${length}`);
        const probe = near ? network : other;
        const address = parseAddress(probe);
        expect(cidr !== undefined && address !== undefined && cidrContains(cidr, address)).toBe(list.check(probe, family));
      }),
    );
  });

  it('overlaps and contains as prefixes do: one holds the other, or they share nothing', () => {
    const cidr = fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, length]) => parseCidr(`${address}/${length}`));
    fc.assert(
      fc.property(cidr, cidr, (a, b) => {
        if (a === undefined || b === undefined) throw new Error('the generator makes prefixes');
        expect(cidrsOverlap(a, b)).toBe(cidrContainsCidr(a, b) || cidrContainsCidr(b, a));
        expect(cidrsOverlap(a, b)).toBe(cidrsOverlap(b, a));
      }),
    );
  });

  it('reads netmasks, and refuses one with holes', () => {
    expect(['255.255.255.0', '0.0.0.0', '255.255.255.255', '255.0.255.0'].map(maskLength)).toEqual([24, 0, 32, undefined]);
  });
});
