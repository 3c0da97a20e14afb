import type { HasLine } from './parsed.ts';

export interface Counters {
  packets: number;
  bytes: number;
}

/** `-s ! 10.0.0.0/8`: an address under a mask (the mask need not be a prefix: iptables takes 255.0.255.0 too). */
export interface AddressMask {
  family: 'ip' | 'ip6';
  text: string;
  value: bigint;
  mask: bigint;
}

export interface NumberRange {
  first: number;
  last: number;
}

export interface ModuleOption {
  /** Without the leading dashes. */
  name: string;
  negated: boolean;
  values: string[];
}

/** A constant, an interval, a prefix or a wildcard, as text of the tool; the walk reads it under the type of what it is compared with. */
export type Value =
  | { type: 'literal'; text: string }
  | { type: 'prefix'; address: string; length: number }
  | { type: 'range'; from: string; to: string }
  | { type: 'wildcard' };

export interface SetElement extends HasLine {
  /** One entry per part of a concatenation. */
  key: Value[];
  data?: Value[] | Action;
  comment?: string;
  /** Seconds after which it goes away, and seconds that are left of them. */
  timeout?: number;
  expires?: number;
  counters?: Counters;
}

/**
 * What decides whether a rule applies. `negated` is the `!` of iptables. `joined`: it stood under the same `-m` as the match before it, which
 * decides nothing but is needed to write the rule again as it was.
 */
export type Match = { role: 'match'; joined?: true } & (
  | { kind: 'address'; end: 'source' | 'destination'; negated: boolean; addresses: AddressMask[] }
  | { kind: 'addressRange'; end: 'source' | 'destination'; negated: boolean; from: string; to: string }
  | { kind: 'interface'; direction: 'in' | 'out'; negated: boolean /** A `+` at the end stands for any rest. */; name: string }
  | { kind: 'protocol'; negated: boolean /** Canonical name (`tcp`, `icmpv6`) or number. */; protocol: string }
  | { kind: 'fragment'; negated: boolean }
  | {
      kind: 'ports' /** Extension that asked: tcp, udp, udplite, sctp, dccp or multiport. */;
      module: string;
      end: 'source' | 'destination' | 'either';
      negated: boolean;
      ranges: NumberRange[];
    }
  | { kind: 'tcpFlags'; negated: boolean; mask: string[]; set: string[] }
  | { kind: 'icmpType'; module: 'icmp' | 'icmp6'; negated: boolean /** undefined: any type. */; icmpType?: number; codes?: NumberRange }
  | {
      kind: 'conntrackState';
      negated: boolean /** Upper-case: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED, SNAT, DNAT. */;
      states: string[] /** `state` is the older extension, which knows `--state` only. */;
      module: 'conntrack' | 'state';
    }
  | { kind: 'conntrackStatus'; negated: boolean /** Upper-case: NONE, EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED. */; statuses: string[] }
  | { kind: 'conntrackAddress'; negated: boolean; tuple: 'original' | 'reply'; end: 'source' | 'destination'; addresses: AddressMask[] }
  | { kind: 'conntrackPort'; negated: boolean; tuple: 'original' | 'reply'; end: 'source' | 'destination'; ports: NumberRange }
  | { kind: 'conntrackProtocol'; negated: boolean; protocol: string }
  | { kind: 'conntrackDirection'; direction: 'original' | 'reply' }
  | { kind: 'mark'; of: 'packet' | 'connection'; negated: boolean; value: number; mask: number }
  | { kind: 'comment'; text: string }
  | { kind: 'statistic'; mode: 'random'; negated: boolean; probability: number }
  | { kind: 'statistic'; mode: 'nth'; negated: boolean; every: number; packet: number }
  | { kind: 'ipset'; negated: boolean; set: string; directions: ('src' | 'dst')[]; options: ModuleOption[] }
  | { kind: 'addressType'; end: 'source' | 'destination'; negated: boolean; types: string[]; limitInterface?: 'in' | 'out' }
  | { kind: 'physdev'; options: ModuleOption[] }
  /** Session affinity of kube-proxy among others. */
  | { kind: 'recent'; negated: boolean; action: 'set' | 'rcheck' | 'update' | 'remove'; name: string; options: ModuleOption[] }
  /** An extension whose arguments are kept but which has no type of its own here: limit, hashlimit, socket, owner, u32, time… */
  | { kind: 'module'; module: string; options: ModuleOption[]; text: string }
  /** nft: left side, operator, right side. */
  | { kind: 'compare'; left: Expression; operator: CompareOperator; right: Expression; text: string }
  /** Anything not understood. It is never dropped and never taken as a match. */
  | { kind: 'opaque'; text: string; why: string }
);

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in';

/** What a rule does once it applies. */
export type Action = { role: 'action' } & (
  | { kind: 'accept' }
  | { kind: 'drop' }
  | { kind: 'return' }
  | { kind: 'continue' }
  | { kind: 'queue'; text: string }
  | { kind: 'jump'; chain: string }
  | { kind: 'goto'; chain: string }
  | { kind: 'reject' /** As printed: `icmp-port-unreachable`, `tcp-reset`, … */; with: string }
  | {
      kind: 'dnat' | 'snat';
      to: NatTarget;
      flags: string[] /** nft, where it says so: what the target is, which an inet table needs. */;
      family?: 'ip' | 'ip6';
    }
  | { kind: 'masquerade'; ports?: NumberRange; flags: string[] }
  | { kind: 'redirect'; ports?: NumberRange; flags: string[] /** nft: port from an expression. */; expression?: Expression }
  | { kind: 'netmap'; to: string }
  /** iptables MARK and CONNMARK --set-xmark: mark = (mark & ~mask) ^ value. */
  | { kind: 'setMark'; of: 'packet' | 'connection'; value: number; mask: number }
  /** CONNMARK --save-mark / --restore-mark with their masks. */
  | { kind: 'copyMark'; from: 'packet' | 'connection'; packetMask: number; connectionMask: number }
  /** nft: `meta mark set …`, `ct mark set …`, `ip dscp set …`. */
  | { kind: 'assign'; target: string; value: Expression; text: string }
  | { kind: 'notrack' /** iptables: under which name; NOTRACK is the older one. */; target?: 'CT' | 'NOTRACK' }
  /** `ends`: the TPROXY target of iptables accepts; the statement of nft lets the rule go on. */
  | { kind: 'tproxy'; ends: boolean; port?: number; address?: string; value: number; mask: number; text: string }
  /** nft verdict map. */
  | { kind: 'verdictMap'; key: Expression; map: SetReference; text: string }
  /** LOG, NFLOG, SET, TCPMSS, CHECKSUM, CLASSIFY, TRACE, counter, … : the packet goes on to the next statement or rule. */
  | { kind: 'fallThrough'; name: string; options: ModuleOption[]; text: string }
  /** A target not understood: whether it ends the packet's way is not known. */
  | { kind: 'opaqueAction'; text: string; why: string }
);

/** Where DNAT or SNAT sends the packet; more than one address is a random choice by the kernel. */
export type NatTarget =
  | { type: 'fixed'; addresses: { from: string; to: string }[]; ports?: NumberRange }
  | { type: 'expression'; address?: Expression; port?: Expression; text: string };

export type SetReference = { type: 'named'; name: string } | { type: 'anonymous'; elements: SetElement[] };

/** nft expressions; field names are those of nft: `ip saddr`, `meta l4proto`, `th dport`, `ct state`, `fib daddr type`. */
export type Expression =
  | { type: 'value'; value: Value }
  | { type: 'field'; name: string }
  | { type: 'concat'; parts: Expression[] }
  | { type: 'binary'; operator: '&' | '|' | '^' | '<<' | '>>'; left: Expression; right: Expression }
  | { type: 'set'; set: SetReference }
  /** `{ new, established }` without braces: flags or a list of values. */
  | { type: 'list'; parts: Expression[] }
  | { type: 'map'; key: Expression; map: SetReference }
  | { type: 'numgen'; mode: 'random' | 'inc'; modulus: number; offset: number }
  | {
      type: 'hash';
      algorithm: 'jhash' | 'symhash' /** What jhash is made from. */;
      of?: Expression;
      modulus: number;
      offset: number;
      seed?: number;
    }
  | { type: 'opaque'; text: string };
