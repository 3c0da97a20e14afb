import type { ConntrackFlow, ConntrackTable, ConntrackTuple } from '../model/conntrack.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { announcedCount } from './conntrack-closing.ts';
import { type Attempt, emptyRecord, readText, type TextLine, toCount, unparsedLine } from './text-lines.ts';

/**
 * `conntrack -L -o xml` and `-E -o xml` of conntrack-tools 1.4.x: one `<flow>` a line between `<conntrack>` and `</conntrack>` (which an event stream that
 * was interrupted lacks: then it is not complete). Grammar: snprintf_xml.c of libnetfilter_conntrack. ICMP type, code and id are not in this form.
 */
export const parseConntrackXml = (text: string): Parsed<ConntrackTable> => {
  const { lines, whole } = readText(text);
  const flows: ConntrackFlow[] = [];
  const unparsed: UnparsedLine[] = [];
  let closed = false;
  let announced: number | undefined;
  for (const line of lines) {
    const trimmed = line.text.trim();
    if (trimmed === '' || trimmed === '<conntrack>' || /^<\?xml [^<>]*\?>$/.test(trimmed)) continue;
    if (trimmed === '</conntrack>') {
      closed = true;
      continue;
    }
    const count = announcedCount(trimmed);
    if (count !== undefined && announced === undefined) {
      announced = count;
      continue;
    }
    const attempt = parseFlow({ line: line.line, text: trimmed });
    if ('ok' in attempt) flows.push(attempt.ok);
    else unparsed.push(unparsedLine(line, attempt.why));
  }
  const agrees = announced === undefined || announced === flows.length;
  const value: ConntrackTable = announced === undefined ? { flows } : { flows, announced };
  return { value, unparsed, complete: whole && closed && agrees && unparsed.length === 0 };
};

const parseFlow = (line: TextLine): Attempt<ConntrackFlow> => {
  const match = /^<flow(?: type="(new|update|destroy)")?>(.*)<\/flow>( \[USERSPACE\].*)?$/.exec(line.text);
  if (match === null) return { why: 'not a whole <flow>' };
  const parts = splitMetas(match[2] ?? '');
  const original = parts.get('original');
  const independent = parts.get('independent');
  const reply = parts.get('reply');
  if (original === undefined || reply === undefined || independent === undefined) return { why: 'a part of the flow is missing' };
  const tuples = [original, reply].map(tupleOf);
  const [first, second] = tuples;
  const protocol = /<layer4 protonum="([0-9]{1,3})" protoname="([a-z0-9-]+)">/.exec(original);
  const protocolNumber = toCount(protocol?.[1]);
  if (first === undefined || second === undefined || protocol === null || protocolNumber === undefined)
    return { why: 'addresses or protocol are missing' };
  const flow: ConntrackFlow = {
    ...line,
    protocol: protocol[2] ?? '',
    protocolNumber,
    original: first,
    reply: second,
    unreplied: independent.includes('<unreplied/>'),
    assured: independent.includes('<assured/>'),
  };
  // Ended by a program (`conntrack -F`), not by the kernel.
  if (match[3] !== undefined) flow.flags = ['USERSPACE'];
  setEvent(flow, match[1]);
  setIndependent(flow, independent, original);
  return { ok: flow };
};

/** The inner text of each `<meta direction="…">`. They don't nest. */
const splitMetas = (inner: string): Map<string, string> => {
  const parts = new Map<string, string>();
  for (const piece of inner.split('</meta>')) {
    const start = piece.indexOf('<meta direction="');
    if (start < 0) continue;
    const body = piece.slice(start + '<meta direction="'.length);
    const quote = body.indexOf('"');
    if (quote > 0) parts.set(body.slice(0, quote), body.slice(quote));
  }
  return parts;
};

const element = (text: string, name: string): string | undefined => {
  const start = text.indexOf(`<${name}>`);
  const end = text.indexOf(`</${name}>`, start);
  return start < 0 || end < 0 ? undefined : text.slice(start + name.length + 2, end);
};

const tupleOf = (text: string): ConntrackTuple | undefined => {
  const src = element(text, 'src');
  const dst = element(text, 'dst');
  if (src === undefined || dst === undefined) return undefined;
  const tuple: ConntrackTuple = { src, dst };
  for (const name of ['sport', 'dport', 'packets', 'bytes', 'zone'] as const) {
    const number = toCount(element(text, name));
    if (number !== undefined) tuple[name] = number;
  }
  return tuple;
};

const setEvent = (flow: ConntrackFlow, event: string | undefined): void => {
  if (event === 'new') flow.event = 'NEW';
  if (event === 'update') flow.event = 'UPDATE';
  if (event === 'destroy') flow.event = 'DESTROY';
};

const setIndependent = (flow: ConntrackFlow, independent: string, original: string): void => {
  const layer3 = toCount(/<layer3 protonum="([0-9]{1,3})"/.exec(original)?.[1]);
  if (layer3 !== undefined) flow.layer3 = layer3;
  for (const name of ['timeout', 'mark', 'zone', 'use'] as const) {
    const number = toCount(element(independent, name));
    if (number !== undefined) flow[name] = number;
  }
  const state = element(independent, 'state');
  const id = element(independent, 'id');
  if (state !== undefined && flow.protocol === 'tcp') flow.state = state;
  if (id !== undefined) flow.id = id;
  const other = otherOf(independent, flow.protocol === 'tcp');
  if (Object.keys(other).length > 0) flow.other = other;
};

const otherOf = (independent: string, isTcp: boolean): Record<string, string> => {
  const other = emptyRecord<string>();
  // The XML names the states of every protocol by those of TCP: an SCTP association reads FIN_WAIT where the plain form says ESTABLISHED.
  for (const name of isTcp ? ['secctx', 'helper', 'deltatime', 'labels'] : ['state', 'secctx', 'helper', 'deltatime', 'labels']) {
    const value = element(independent, name);
    if (value !== undefined) other[name] = value;
  }
  return other;
};
