import type { CapturedPacket, IcmpType, PacketBody } from '../model/capture.ts';

/** `nested`: the rest of the line is a packet of its own. `hasPorts`: the addresses end in ports though the body is not UDP's or TCP's own. */
interface BodyResult {
  body: PacketBody;
  nested?: string;
  hasPorts?: boolean;
}

/**
 * Reads what stands behind `a > b: ` (tcpdump 4.9 to 4.99: print-tcp.c, print-udp.c, print-icmp.c, print-icmp6.c, print-domain.c, print-vxlan.c,
 * print-otv.c, print-geneve.c, print-gre.c). Undefined = a line of these protocols that does not end as they do: it was cut.
 */
export function readBody(text: string, packet: CapturedPacket): BodyResult | undefined {
  const [sumPart = '', sum = ''] = /^\[(bad udp cksum [^\]]*|udp sum ok|no cksum)\] ?/.exec(text) ?? [];
  const rest = text.slice(sumPart.length);
  const badChecksum = sum.startsWith('bad');
  if (rest.startsWith('Flags [')) return tcp(rest);
  if (/^tcp \d+$/.test(rest))
    return {
      body: {
        kind: 'tcp',
        flags: '',
        seq: undefined,
        ack: undefined,
        window: undefined,
        mss: undefined,
        length: Number(rest.slice(4)),
        badChecksum: false,
        application: undefined,
      },
    };
  if (rest.startsWith('UDP')) return udp(rest, badChecksum);
  if (rest.startsWith('ICMP')) return icmp(rest);
  if (/^(?:VXLAN|OTV|Geneve)\b/.test(rest)) return tunnel(rest);
  if (rest.startsWith('GREv')) return gre(rest);
  if (/^IP6? /.test(rest)) return { body: { kind: 'tunnel', protocol: 'ipip', vni: undefined }, nested: rest };
  if (/^(?:ip-proto-\d+|tcp|udp|icmp|frag .*)$/.test(rest) || (packet.ip?.fragmentOffset ?? 0) > 0)
    return { body: { kind: 'fragment', protocol: rest } };
  return dns(rest, badChecksum) ?? (rest === '' ? undefined : { body: { kind: 'other', text: rest } });
}

function tcp(text: string): BodyResult | undefined {
  const [, flags, rest = ''] = /^Flags \[([^\]]+)\](.*)$/.exec(text) ?? [];
  // DNS over TCP follows without a colon: `length 32 1 0/0/0 (30)`
  const [, length, application, dnsWords] = /, length (\d+)(?:: (.*)| (\d.* \(\d+\))|\s*|\[\|.*)$/.exec(rest) ?? [];
  if (flags === undefined || length === undefined) return undefined;
  const [, seq] = /, seq (\d+(?::\d+)?)/.exec(rest) ?? [];
  const [, ack] = /, ack (\d+)/.exec(rest) ?? [];
  const [, window] = /, win (\d+)/.exec(rest) ?? [];
  const [, mss] = /[[,]mss (\d+)/.exec(rest) ?? [];
  const body = {
    kind: 'tcp',
    flags,
    seq,
    ack: num(ack),
    window: num(window),
    mss: num(mss),
    length: Number(length),
    badChecksum: rest.includes(' (incorrect -> '),
    application: application ?? dnsWords,
  } as const;
  return { body };
}

function udp(text: string, badChecksum: boolean): BodyResult | undefined {
  const [, length] = /^UDP, (?:bad )?length (\d+)(?: .*)?$/.exec(text) ?? [];
  return length === undefined ? undefined : { body: { kind: 'udp', length: Number(length), badChecksum } };
}

const icmpTypes: readonly (readonly [RegExp, IcmpType])[] = [
  [/^echo request/, 'echo-request'],
  [/^echo reply/, 'echo-reply'],
  [/admin(?:istratively)? prohibited|unreachable - .*prohibited|communication prohibited/, 'admin-prohibited'],
  [/need to frag|packet too big/, 'frag-needed'],
  [/(?:udp|tcp|sctp) port \S+ unreachable|unreachable port/, 'port-unreachable'],
  [/protocol \S+ unreachable/, 'protocol-unreachable'],
  [/^net \S+ unreachable|unreachable route/, 'net-unreachable'],
  [/^host \S+ unreachable|unreachable address/, 'host-unreachable'],
  [/^time exceeded|^ip reassembly time exceeded/, 'time-exceeded'],
  [/^redirect/, 'redirect'],
  [/^(?:neighbor|router) (?:solicitation|advertisement)/, 'neighbor'],
];

function icmp(text: string): BodyResult | undefined {
  const [, words, length] = /^ICMP6?,? (.*?), length:? (\d+)(?:[ (].*)?$/.exec(text) ?? [];
  if (words === undefined) return undefined;
  const type = icmpTypes.find(([pattern]) => pattern.test(words))?.[1] ?? 'other';
  const [, mtu] = /\bmtu (\d+)/.exec(words) ?? [];
  const [, id] = /, id (\d+)/.exec(words) ?? [];
  const [, seq] = /, seq (\d+)/.exec(words) ?? [];
  const [, host] = /^(?:host |net )?(\S+) (?:unreachable|(?:udp|tcp|sctp) port|protocol)/.exec(words) ?? [];
  return {
    body: { kind: 'icmp', type, text: words, mtu: num(mtu), unreachable: host, id: num(id), seq: num(seq), length: Number(length) },
  };
}

/** 8472 is decoded as OTV unless -T vxlan is given; its "instance" is the VXLAN network identifier of flannel, Calico and Cilium. */
function tunnel(text: string): BodyResult | undefined {
  const [, instance] = /^OTV, flags \[[^\]]*\] \(0x[0-9a-f]+\), overlay \d+, instance (\d+)$/.exec(text) ?? [];
  if (instance !== undefined) return { body: { kind: 'tunnel', protocol: 'otv', vni: Number(instance) }, hasPorts: true };
  const [, vxlan] = /^VXLAN, flags \[[^\]]*\] \(0x[0-9a-f]+\), vni (\d+)$/.exec(text) ?? [];
  if (vxlan !== undefined) return { body: { kind: 'tunnel', protocol: 'vxlan', vni: Number(vxlan) }, hasPorts: true };
  const [, geneve, inner] =
    /^Geneve, Flags \[[^\]]*\], vni (0x[0-9a-f]+|\d+)(?:, proto [^:,]+)?(?:, options \[[^\]]*\])?(?:: (.*))?$/.exec(text) ?? [];
  if (geneve === undefined) return undefined;
  const body = { kind: 'tunnel', protocol: 'geneve', vni: Number(geneve) } as const;
  return inner ? { body, nested: inner, hasPorts: true } : { body, hasPorts: true };
}

function gre(text: string): BodyResult | undefined {
  // with -v the inner packet stands on the next line
  const [head, inner = ''] = /^GREv\d(?:, [^:]*)?, length \d+(?:: ?(.*))?$/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const body = { kind: 'tunnel', protocol: 'gre', vni: undefined } as const;
  return /^(?:IP6? |ARP, )/.test(inner) ? { body, nested: inner } : { body };
}

const rcodes = 'NXDomain|ServFail|Refused|FormErr|NotImp|YXDomain|YXRRSet|NXRRSet|NotAuth|NotZone|BadVers|Resp\\d+';
const query = /^(\d+)\+?%?(?: \[[^\]]*\])* (?:\[[^\]]*\] )?([A-Z][A-Z0-9]*|Type\d+)(?: \(Q[MU]\))?\? (\S+)(?: .*)? \((\d+)\)$/;
const response = new RegExp(
  `^(\\d+)(?: (${rcodes}))?([*|$-]*)(?: \\[[^\\]]*\\])?(?: q: (?:\\([^)]*\\) )?([A-Z][A-Z0-9]*|Type\\d+)\\? (\\S+))? (\\d+)/(\\d+)/(\\d+)(?: (.*))? \\((\\d+)\\)$`,
);

/** `20271+ A? name. (56)` and `613* 1/0/1 A 10.96.7.7 (97)`: `*` authoritative, `-` no recursion, `|` truncated. */
function dns(text: string, badChecksum: boolean): BodyResult | undefined {
  const asked = query.exec(text);
  if (asked) {
    const question = { type: asked[2] ?? '', name: asked[3] ?? '' };
    return {
      body: {
        kind: 'dns',
        id: Number(asked[1]),
        isResponse: false,
        rcode: '',
        truncated: false,
        question,
        answers: [],
        counts: undefined,
        length: Number(asked[4]),
        badChecksum,
      },
    };
  }
  const match = response.exec(text);
  if (!match) return undefined;
  const [, id, rcode = 'NoError', flags = '', type, name = '', answer, authority, additional, answers = '', length] = match;
  const question = type === undefined ? undefined : { type, name };
  const counts: [number, number, number] = [Number(answer), Number(authority), Number(additional)];
  return {
    body: {
      kind: 'dns',
      id: Number(id),
      isResponse: true,
      rcode,
      truncated: flags.includes('|'),
      question,
      answers: answers ? answers.split(', ') : [],
      counts,
      length: Number(length),
      badChecksum,
    },
  };
}

const num = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
