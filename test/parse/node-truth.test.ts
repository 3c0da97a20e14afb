import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ConntrackFlow } from '../../src/model/conntrack.ts';
import type { Route } from '../../src/model/route.ts';
import { parseConntrack } from '../../src/parse/conntrack.ts';
import { parseIpAddr } from '../../src/parse/ip-addr.ts';
import { parseIpLink } from '../../src/parse/ip-link.ts';
import { parseIpNeigh } from '../../src/parse/ip-neigh.ts';
import { parseIpRoute } from '../../src/parse/ip-route.ts';
import { parseIpRule } from '../../src/parse/ip-rule.ts';
import { parseRouteN } from '../../src/parse/route-n.ts';
import { type NodeOutput, nodeOutputs } from './node-outputs.ts';

/*
 * What was configured (`truth` in the description of an output, never read off the output) against what the parser says. A truth that is not of the
 * form that a test knows is left out, so each test counts what it compared.
 */
const outputs = nodeOutputs();
const readBy = (parse: unknown): NodeOutput[] =>
  outputs.filter((output) => output.parsers.length === 1 && output.parsers[0] === parse && !output.damaged);
const fallbackFalse = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> | undefined => schema.safeParse(value).data;

const nexthop = z.looseObject({
  via: z.string().optional(),
  via6: z.string().optional(),
  dev: z.string().optional(),
  weight: z.number().optional(),
});
const trueRoute = nexthop.extend({
  dst: z.string(),
  type: z.string().optional(),
  proto: z.union([z.string(), z.number()]).optional(),
  src: z.string().optional(),
  metric: z.number().optional(),
  onlink: z.boolean().optional(),
  mtu: z.number().optional(),
  nexthops: z.array(nexthop).optional(),
});

const isTold = (route: Route, truth: z.output<typeof trueRoute>, isBusyBox: boolean): boolean =>
  route.dst === truth.dst &&
  route.type === (truth.type ?? 'unicast') &&
  (truth.metric === undefined || route.metric === truth.metric) &&
  (truth.src === undefined || route.src === truth.src) &&
  (truth.dev === undefined || route.dev === truth.dev) &&
  (truth.onlink !== true || route.flags.includes('onlink')) &&
  (isBusyBox || (route.via === (truth.via ?? truth.via6) && (truth.proto === undefined || route.protocol === String(truth.proto)))) &&
  (isBusyBox || truth.mtu === undefined || route.mtu === truth.mtu) &&
  (isBusyBox
    ? (truth.nexthops === undefined) === (route.nexthopsHidden === undefined)
    : route.nexthops.length === (truth.nexthops?.length ?? 0) &&
      route.nexthops.every((hop, index) => {
        const told = truth.nexthops?.[index];
        return hop.via === (told?.via ?? told?.via6) && hop.dev === told?.dev && (told?.weight === undefined || hop.weight === told.weight);
      }));

const optionalNumber = z.number().optional();
const trueFlow = z.looseObject({
  proto: z.union([z.string(), z.number()]),
  state: z.string().optional(),
  src: z.string().optional(),
  dst: z.string().optional(),
  sport: optionalNumber,
  dport: optionalNumber,
  assured: z.boolean().optional(),
  unreplied: z.boolean().optional(),
  type: optionalNumber,
  id: optionalNumber,
  mark: optionalNumber,
  zone: optionalNumber,
  origZone: optionalNumber,
  replyZone: optionalNumber,
  dnat: z.string().optional(),
  snat: z.string().optional(),
});

/** The XML form has neither ICMP fields nor zones of one direction; a kernel without a tracker for a protocol calls it unknown. */
const isFlow = (flow: ConntrackFlow, truth: z.output<typeof trueFlow>, isXml: boolean): boolean => {
  const told: [unknown, unknown][] = [
    // the XML names states of all protocols by those of TCP, so the parser keeps them apart
    [flow.state, isXml && truth.proto !== 'tcp' ? flow.state : truth.state],
    [flow.original.sport, truth.sport],
    [flow.original.dport, truth.dport],
    [flow.assured, truth.assured],
    [flow.unreplied, truth.unreplied],
    [flow.mark, truth.mark],
    [flow.zone, truth.zone],
    [`${flow.reply.src}:${flow.reply.sport}`, truth.dnat],
    [`${flow.reply.dst}:${flow.reply.dport}`, truth.snat],
    ...(isXml
      ? []
      : ([
          [flow.original.icmpType, truth.type],
          [flow.original.icmpId, truth.id],
          [flow.original.zone, truth.origZone],
          [flow.reply.zone, truth.replyZone],
        ] satisfies [unknown, unknown][])),
  ];
  const isProtocol =
    typeof truth.proto === 'number' ? flow.protocolNumber === truth.proto : flow.protocol === truth.proto || flow.protocol === 'unknown';
  const isBetween =
    (truth.src === undefined || sameIp(flow.original.src, truth.src)) && (truth.dst === undefined || sameIp(flow.original.dst, truth.dst));
  return isProtocol && isBetween && told.every(([seen, made]) => made === undefined || seen === made);
};

describe('the parsed value agrees with what was configured', () => {
  it('routes: every configured route is there, with type, gateways, metrics and nexthops', () => {
    let compared = 0;
    for (const output of readBy(parseIpRoute)) {
      const truths = fallbackFalse(z.array(trueRoute), output.truth.routes) ?? [];
      const { value } = parseIpRoute(output.text);
      for (const truth of truths) {
        compared += 1;
        expect(
          value.some((route) => isTold(route, truth, output.tool === 'busybox-ip')),
          `${output.name}: ${JSON.stringify(truth)}`,
        ).toBe(true);
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  it('route -n, netstat -rn and /proc/net/route: every route that they can show, and none as a way that is none', () => {
    let compared = 0;
    for (const output of readBy(parseRouteN)) {
      const { value } = parseRouteN(output.text);
      for (const truth of fallbackFalse(z.array(trueRoute), output.truth.routes) ?? []) {
        if (truth.type === 'broadcast' || truth.type === 'multicast') continue;
        compared += 1;
        const rows = value.filter(
          (row) => textOf(row.destination) === truth.dst || (truth.dst === 'default' && row.destination.length === 0),
        );
        expect(rows.length, `${output.name}: ${truth.dst}`).toBeGreaterThan(0);
        if (truth.via !== undefined) expect(rows.map((row) => row.gateway)).toContain(truth.via);
        const isNoWay = ['unreachable', 'prohibit', 'blackhole', 'throw'].includes(truth.type ?? 'unicast');
        expect(
          rows.every((row) => row.kind === 'way'),
          `${output.name}: ${truth.dst}`,
        ).toBe(!isNoWay && truth.dst !== 'default' ? true : rows.every((row) => row.kind === 'way'));
        if (isNoWay)
          expect(
            rows.every((row) => row.kind !== 'way'),
            `${output.name}: ${truth.dst}`,
          ).toBe(true);
      }
    }
    expect(compared).toBeGreaterThan(50);
  });

  it('rules: every configured rule, with all its selectors', () => {
    const trueRule = z.looseObject({
      pref: z.number(),
      table: z.union([z.string(), z.number()]).optional(),
      from: z.string().optional(),
      to: z.string().optional(),
      not: z.boolean().optional(),
      fwmark: z.string().optional(),
      iif: z.string().optional(),
      oif: z.string().optional(),
      detached: z.boolean().optional(),
      goto: z.number().optional(),
      target_missing: z.boolean().optional(),
      action: z.string().optional(),
    });
    const names: Record<string, string> = { 100: 'eni-a', 2004: 'cilium' };
    let compared = 0;
    for (const output of readBy(parseIpRule).filter(({ tool }) => tool === 'ip')) {
      const { value } = parseIpRule(output.text);
      for (const truth of fallbackFalse(z.array(trueRule), output.truth.rules) ?? []) {
        compared += 1;
        const rule = value.find(({ priority }) => priority === truth.pref);
        const where = `${output.name}: ${JSON.stringify(truth)} ${rule?.text}`;
        expect(rule?.from, where).toBe(truth.from ?? 'all');
        expect(rule?.to, where).toBe(truth.to ?? 'all');
        expect(rule?.not, where).toBe(truth.not ?? false);
        expect(rule?.iif, where).toBe(truth.iif);
        expect(rule?.iifDetached, where).toBe(truth.detached);
        expect(rule?.oif, where).toBe(truth.oif);
        if (truth.fwmark !== undefined) expect(rule?.fwmark?.value, where).toBe(Number(truth.fwmark));
        if (truth.goto !== undefined)
          expect(rule?.action, where).toEqual({ kind: 'goto', priority: truth.goto, unresolved: truth.target_missing ?? false });
        if (truth.action !== undefined) expect(rule?.action.kind, where).toBe(truth.action);
        const table = rule?.action.kind === 'lookup' ? rule.action.table : undefined;
        if (truth.table !== undefined) expect([String(truth.table), names[String(truth.table)]], where).toContain(table);
      }
    }
    expect(compared).toBeGreaterThan(50);
  });

  it('neighbours: the states that were set', () => {
    let compared = 0;
    for (const output of readBy(parseIpNeigh)) {
      const { value } = parseIpNeigh(output.text);
      for (const [address, told] of Object.entries(fallbackFalse(z.record(z.string(), z.string()), output.truth.states) ?? {})) {
        const state = /^(REACHABLE|PERMANENT|NOARP|INCOMPLETE|FAILED)\b(.*)$/.exec(told);
        const entry = value.find((candidate) => candidate.address === address);
        if (state === null || (entry === undefined && state[1] === 'NOARP')) continue;
        compared += 1;
        expect(entry?.states, `${output.name} ${address}`).toEqual([state[1]]);
        expect(entry?.mac === undefined, `${output.name} ${address}`).toBe(state[1] === 'INCOMPLETE' || state[1] === 'FAILED');
        for (const flag of ['extern_learn', 'router']) if (told.includes(flag)) expect(entry?.flags).toContain(flag);
      }
    }
    expect(compared).toBeGreaterThan(15);
  });

  it('conntrack: every entry that was made, with state, flags, zones and translations', () => {
    let compared = 0;
    for (const output of readBy(parseConntrack)) {
      const { flows } = parseConntrack(output.text).value;
      for (const truth of fallbackFalse(z.array(trueFlow), output.truth.entries) ?? []) {
        compared += 1;
        expect(
          flows.some((flow) => isFlow(flow, truth, output.name.includes('xml'))),
          `${output.name}: ${JSON.stringify(truth)}`,
        ).toBe(true);
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  it('text and JSON of one state say the same', () => {
    const routes = (name: string): unknown => comparable(parseIpRoute(text(name)).value);
    expect(routes('003-ip-route-main-every-type-json')).toEqual(routes('001-ip-route-main-every-type'));
    expect(routes('029-ip-route6-main-json')).toEqual(routes('028-ip-route6-main'));
    const rules = (name: string): unknown =>
      parseIpRule(text(name)).value.map(({ line: _line, text: _text, other: _other, ...rule }) => rule);
    expect(rules('035-ip-rule-many-json')).toEqual(rules('034-ip-rule-many'));
    const neighbours = (name: string): unknown => parseIpNeigh(text(name)).value.map(({ line: _line, text: _text, ...entry }) => entry);
    expect(neighbours('048-ip-neigh-states-json')).toEqual(neighbours('046-ip-neigh-states'));
  });

  it('interfaces: text and JSON of one state name the same interfaces, flags, peers and addresses', () => {
    const pairs = [
      [parseIpLink(text('062-ip-link-every-kind')), parseIpLink(text('064-ip-link-every-kind-d-json'))],
      [parseIpAddr(text('055-ip-addr-every-flag')), parseIpAddr(text('056-ip-addr-every-flag-json'))],
    ] as const;
    for (const [plain, json] of pairs) {
      const shape = (links: typeof plain): unknown =>
        links.value.map(
          ({ index, name, flags, mtu, qdisc, master, state, linkType, address, peerAddress, alias, altNames, addresses }) => ({
            ...{ index, name, flags, mtu, qdisc, master, state, linkType, address, peerAddress, alias, altNames },
            addresses: addresses.map(
              (item) =>
                `${item.address}/${item.prefixLength} ${item.peer} ${item.scope} ${item.label} ${[...item.flags].sort().join()} ${item.validLifetime}`,
            ),
          }),
        );
      expect(shape(json)).toEqual(shape(plain));
    }
  });
});

const text = (name: string): string => outputs.find((output) => output.name.endsWith(`/ip-${name}`))?.text ?? '';

const textOf = (cidr: { address: { text: string; family: number }; length: number }): string =>
  cidr.length === (cidr.address.family === 4 ? 32 : 128) ? cidr.address.text : `${cidr.address.text}/${cidr.length}`;

const comparable = (routes: Route[]): unknown =>
  routes.map(({ line: _line, text: _text, other: _other, mtuLocked: _locked, expires: _expires, flags, ...route }) => ({
    ...route,
    flags: [...flags].sort(),
  }));

/** /proc/net/nf_conntrack writes IPv6 addresses in full. */
const sameIp = (printed: string, told: string): boolean =>
  printed === told || (printed.includes(':') && printed.replace(/\b0+(?=[0-9a-f])/g, '').replace(/(:0)+:/, '::') === told);
