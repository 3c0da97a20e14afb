import type { HubbleEnd, HubbleFlow, HubbleOutput } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads `hubble observe` of Hubble 0.8 to 1.18: `-o json` and `-o jsonpb` (one object a line; api/v1/flow/flow.proto) and the compact text. A policy verdict and the drop that
 * follows it are two events. Lost events are told apart: with them a missing flow proves nothing, and the value is not complete.
 */
export function parseHubble(text: string): Parsed<HubbleOutput> {
  const value: HubbleOutput = { flows: [], lost: [], marks: [], otherLines: [] };
  const unparsed = applyRules(linesOf(text), value, rules, 'no flow of hubble');
  return { value, unparsed, complete: unparsed.length === 0 && value.lost.length === 0 && value.flows.length > 0 };
}

const rules: readonly LineRule<HubbleOutput>[] = [
  [/^\{.*\}$/, jsonLine],
  [
    /^(\w{3} +\d+ [\d:.]+|\d{4}-\d\d-\d\dT\S+?|[\d:.]+)(?: \[([^\]]*)\])?: (\S+) (?:\(([^)]*)\) )?(->|<-|<>) (\S+) (?:\(([^)]*)\) )?(\S.*?) ([A-Z_]+)(?: \((.*)\))?$/,
    (
      value,
      [, time = '', node = '', from = '', fromLabel = '', arrow = '', to = '', toLabel = '', words = '', verdict = '', summary = ''],
      { line },
    ) => {
      const isDrop = /DROPPED|DENIED/.test(verdict) || /DENIED|DROPPED/.test(words);
      const flow: HubbleFlow = {
        line,
        time,
        node: node || undefined,
        verdict,
        dropReason: isDrop ? words : undefined,
        source: textEnd(from, fromLabel),
        destination: textEnd(to, toLabel),
        direction: { '->': 'forward', '<-': 'reply' }[arrow] as HubbleFlow['direction'],
        protocol: /^(TCP|UDP|ICMPv[46]|SCTP|DNS|HTTP)/.exec(summary)?.[1],
        type: words,
        summary,
      };
      value.flows.push(flow);
    },
  ],
  [/^EVENTS LOST: .*$/, ({ lost }, [text = ''], { line }) => lost.push({ line, text })],
  [/^TIMESTAMP +SOURCE +DESTINATION +TYPE +VERDICT +SUMMARY\s*$/, ({ otherLines }, _groups, at) => otherLines.push(at.line)],
  ...shellMarkRules,
];

/** `10.0.0.1:80` or `namespace/pod:80`. */
function textEnd(text: string, label: string): HubbleEnd {
  const [, name = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  const isPod = name.includes('/');
  return {
    address: isPod ? undefined : name.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    pod: isPod ? name : undefined,
    identity: label || undefined,
  };
}

type Json = Record<string, unknown>;

function jsonLine(value: HubbleOutput, _groups: readonly string[], { line, text }: Line): undefined | false {
  const whole = parseObject(text);
  if (!whole) return false;
  if (whole.lost_events !== undefined || whole.lostEvents !== undefined || whole.node_status !== undefined) {
    value.lost.push({ line, text });
    return undefined;
  }
  const flow = objectAt(whole, 'flow') ?? (whole.verdict === undefined ? undefined : whole);
  if (!flow || typeof flow.verdict !== 'string') return false;
  value.flows.push(flowOf(flow, whole, line));
  return undefined;
}

function flowOf(flow: Json, whole: Json, line: number): HubbleFlow {
  const ip = objectAt(flow, 'IP');
  const l4 = objectAt(flow, 'l4');
  const protocol = l4 && Object.keys(l4)[0];
  const ports = protocol === undefined ? undefined : objectAt(l4 ?? {}, protocol);
  const isReply = flow.is_reply ?? flow.isReply ?? flow.reply;
  return {
    line,
    time: stringAt(flow, 'time') ?? stringAt(whole, 'time'),
    verdict: String(flow.verdict),
    dropReason:
      stringAt(flow, 'drop_reason_desc') ??
      stringAt(flow, 'dropReasonDesc') ??
      (typeof flow.drop_reason === 'number' && flow.drop_reason !== 0 ? String(flow.drop_reason) : undefined),
    source: jsonEnd(ip, 'source', ports, 'source_port', objectAt(flow, 'source')),
    destination: jsonEnd(ip, 'destination', ports, 'destination_port', objectAt(flow, 'destination')),
    direction: isReply === true ? 'reply' : isReply === false ? 'forward' : undefined,
    protocol,
    type: stringAt(flow, 'Type') ?? stringAt(flow, 'type'),
    node: stringAt(flow, 'node_name') ?? stringAt(whole, 'node_name'),
    summary: stringAt(flow, 'Summary') ?? '',
  };
}

function jsonEnd(ip: Json | undefined, key: string, ports: Json | undefined, portKey: string, end: Json | undefined): HubbleEnd {
  const namespace = end && stringAt(end, 'namespace');
  const pod = end && (stringAt(end, 'pod_name') ?? stringAt(end, 'podName'));
  const port = ports?.[portKey];
  return {
    address: ip && stringAt(ip, key),
    port: typeof port === 'number' ? port : undefined,
    pod: pod === undefined ? undefined : `${namespace ?? ''}/${pod}`,
    identity: end?.identity === undefined ? undefined : String(end.identity),
  };
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const objectAt = (value: Json, key: string): Json | undefined => (isObject(value[key]) ? value[key] : undefined);
const stringAt = (value: Json, key: string): string | undefined =>
  typeof value[key] === 'string' && value[key] !== '' ? value[key] : undefined;
