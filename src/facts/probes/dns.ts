import type { FailureCause } from '../../model/probe.ts';
import { parseDig } from '../../parse/dig.ts';
import { parseNslookup } from '../../parse/nslookup.ts';
import type { Base, Lookup, ProbeResult, Try } from './probe.ts';
import { type Block, bad, good, unlessStarved } from './tries.ts';

/** Limit of one query in src/collect/probe-sections.ts, in milliseconds, and what its tool needs besides. */
const dnsTryLimit = 3000;

/**
 * One process may have asked several times: a question ends in "Got answer" or in "no servers could be reached", whose cause stands in a line
 * before it (dig 9.16 to 9.20).
 */
export function readDnsTries(block: Block): (Try | null | 'starved')[] {
  const parts = block.tool === 'dig' ? digParts(block) : [block];
  return (parts.length > 0 ? parts : [block]).map((part) => unlessStarved(part, dnsTryLimit, readDnsTry(part)));
}

function digParts(block: Block): Block[] {
  const lines = block.text.split('\n');
  const parts: { from: number; to: number }[] = [];
  let error = 0;
  lines.forEach((line, index) => {
    const open = parts.at(-1);
    if (/^;; Got answer:/.test(line)) parts.push({ from: index, to: lines.length });
    else if (/no servers could be reached/.test(line))
      parts.push({ from: /connection timed out/.test(line) ? index : error, to: index + 1 });
    else if (/^;; communications error/.test(line)) error = index;
    if (open && open !== parts.at(-1)) open.to = Math.min(open.to, index);
  });
  return parts.map(({ from, to }) => ({
    ...block,
    milliseconds: Math.round(block.milliseconds / parts.length),
    text: lines.slice(from, to).join('\n'),
    first: block.first + from,
  }));
}

function readDnsTry(block: Block): Try | null {
  const answer = readDnsAnswer(block.tool, block.text, block.rc);
  if (!answer) return null;
  const { status, line, text } = answer;
  if (status === 'NOERROR' && answer.addresses.length > 0) return good(block, [line], answer.milliseconds);
  return bad(block, causeOfStatus(status), [line], text);
}

const causeOfStatus = (status: string): NonNullable<Try['cause']> => {
  switch (status) {
    case 'NXDOMAIN':
      return 'nxdomain';
    case 'SERVFAIL':
      return 'servfail';
    case 'REFUSED':
      return 'dns-refused';
    case 'NOERROR':
      return 'no-address';
    case 'connection-refused':
      return 'refused';
    case 'timeout':
      return 'timeout';
    case 'host-unreachable':
      return 'host-unreachable';
    case 'net-unreachable':
      return 'net-unreachable';
    default:
      return 'other';
  }
};

/** Status of one answer: the DNS response code, or what kept the answer away. */
function readDnsAnswer(
  tool: string,
  text: string,
  rc: number,
): { status: string; addresses: string[]; line: number; text: string; milliseconds?: number | undefined } | null {
  if (tool === 'nslookup') {
    const { value } = parseNslookup(text);
    const answers = value.runs.flatMap((run) => run.answers);
    const addresses = answers.filter((item) => item.type === 'A').map((item) => item.data);
    if (addresses.length > 0) return { status: 'NOERROR', addresses, line: answers[0]?.line ?? 1, text: '' };
    const failure = value.failures.at(-1);
    if (failure)
      return {
        status: failure.status === 'No answer' ? 'NOERROR' : (failure.status ?? transport(failure.cause)),
        addresses: [],
        line: failure.line,
        text: failure.text,
      };
    return rc === 124 || rc === 143 ? { status: 'timeout', addresses: [], line: 1, text: 'no answer in time' } : null;
  }
  const run = parseDig(text).value.runs.at(-1);
  if (!run) return null;
  if (run.header) {
    const addresses = run.records.filter((record) => record.section === 'answer' && record.type === 'A').map((record) => record.data);
    const cname = run.records.some((record) => record.section === 'answer' && record.type === 'CNAME');
    const answer = run.records.find((record) => record.section === 'answer');
    return {
      status: run.header.status,
      addresses: addresses.length > 0 ? addresses : cname ? ['(alias only)'] : [],
      line: answer?.line ?? run.header.line,
      text: `status: ${run.header.status}`,
      milliseconds: run.queryTimeMs,
    };
  }
  const failure = run.failures.at(-1);
  const first = run.failures[0] ?? failure;
  return failure && first ? { status: transport(first.cause), addresses: [], line: first.line, text: first.text } : null;
}

const transport = (cause: FailureCause): string => (cause === 'refused' ? 'connection-refused' : cause);

/** Takes the output of the `lookup` function apart: what a resolver asked, in order, until an address came. */
export function readLookup(base: Base, stdout: string): ProbeResult {
  const lines = stdout.split('\n');
  const lookups: Lookup[] = [];
  let milliseconds = 0;
  let lastLine = 1;
  let lastText = '';
  let cause: Try['cause'] = null;
  for (const [index, line] of lines.entries()) {
    const query = /^k8snet-query name=(\S+) server=(\S+)$/.exec(line);
    if (!query) continue;
    const end = lines.findIndex((later, at) => at > index && later.startsWith('k8snet-answer '));
    const body = lines.slice(index + 1, end < 0 ? undefined : end);
    const tool = /^tool=(\w+)$/.exec(body[0] ?? '')?.[1] ?? '';
    const closing = /^k8snet-answer rc=(\d+) cs=(-?\d+)$/.exec(lines[end] ?? '');
    const answer = readDnsAnswer(tool, body.slice(1).join('\n'), Number(closing?.[1] ?? 0));
    milliseconds += Number(closing?.[2] ?? 0) * 10;
    const status = answer?.status ?? 'unparsed';
    lastLine = (answer?.line ?? 1) + index + 2;
    lastText = answer?.text ?? '';
    cause = causeOfStatus(status);
    lookups.push({ name: query[1] as string, server: query[2] as string, status, addresses: answer?.addresses ?? [], line: lastLine });
  }
  if (lookups.length === 0) {
    const detail = stdout.trim() === '' ? 'the resolver configuration names no server' : 'the output of the probe was not understood';
    return { ...base, tries: [], unknown: { reason: stdout.trim() === '' ? 'not-collected' : 'unparsed', detail } };
  }
  const resolved = lookups.find((lookup) => lookup.addresses.length > 0);
  if (!resolved && lookups.every((lookup) => lookup.status === 'unparsed'))
    return { ...base, tries: [], unknown: { reason: 'unparsed', detail: 'the output of the lookup was not understood' } };
  if (!resolved && cause === 'timeout' && milliseconds > lookups.length * (dnsTryLimit + 3000))
    return {
      ...base,
      tries: [],
      unknown: { reason: 'timeout', detail: 'the machine that probed was too busy to keep its own time limits' },
    };
  const item: Try = resolved
    ? { ok: true, cause: null, milliseconds, lines: [resolved.line], text: '' }
    : { ok: false, cause, milliseconds, lines: [lastLine], text: lastText };
  return { ...base, tries: [item], unknown: null, lookups };
}
