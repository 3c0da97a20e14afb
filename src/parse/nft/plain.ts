import type { Action, ModuleOption, Statement } from '../../model/netfilter.ts';
import { takeObjectName } from './expressions.ts';
import type { NftReader } from './tokens.ts';

/** Statements that begin with a word of their own and whose arguments need little: reject, log, limit, quota, notrack, tproxy, set updates, … */
export function readPlain(reader: NftReader): Statement | Statement[] | undefined {
  const word = reader.peek();
  if (word === undefined || word.quoted) return undefined;
  const start = reader.position();
  const read = readers.get(word.text);
  if (read !== undefined) {
    reader.next();
    return read(reader, start);
  }
  return readConntrackStatement(reader, start);
}

type Reader = (reader: NftReader, start: number) => Statement | Statement[] | undefined;

const module = (name: string, text: string): Statement => ({ role: 'match', kind: 'module', module: name, options: [], text });
const goesOn = (name: string, text: string, options: ModuleOption[] = []): Action => ({
  role: 'action',
  kind: 'fallThrough',
  name,
  options,
  text,
});

const reject: Reader = (reader) => {
  if (!reader.take('with')) return { role: 'action', kind: 'reject', with: 'port-unreachable' };
  const kind = reader.next()?.text ?? '';
  reader.take('type');
  const type = reader.next()?.text ?? '';
  return { role: 'action', kind: 'reject', with: rejectName(kind, type) };
};

/** One name for the reject types of iptables and nft: `icmp-port-unreachable`, `icmp6-…`, `icmpx-…`, `tcp-reset`. */
export function rejectName(kind: string, type: string): string {
  if (kind === 'tcp') return 'tcp-reset';
  return `${kind === 'icmpv6' ? 'icmp6' : kind}-${type}`;
}

const logWords = new Set(['prefix', 'group', 'level', 'snaplen', 'queue-threshold', 'flags']);
const log: Reader = (reader, start) => {
  const options: ModuleOption[] = [];
  for (let token = reader.peek(); token !== undefined && !token.quoted && logWords.has(token.text); token = reader.peek()) {
    reader.next();
    const values = [reader.next()?.text ?? ''];
    // `flags tcp sequence,options`, `flags ip options`
    if (
      token.text === 'flags' &&
      ['tcp', 'ip', 'skuid', 'ether'].includes(values[0] ?? '') &&
      /^(sequence|options)/.test(reader.peek()?.text ?? '')
    )
      values.push(reader.next()?.text ?? '');
    options.push({ name: token.text, negated: false, values });
  }
  return goesOn('log', reader.since(start), options);
};

/** `limit rate over 10/second burst 20 packets`: how many packets came before is not known. */
const limit: Reader = (reader, start) => {
  if (reader.take('name')) {
    takeObjectName(reader);
    return module('limit', reader.since(start));
  }
  if (!reader.take('rate')) return undefined;
  reader.take('over');
  reader.next();
  if (/^\w?bytes\//.test(reader.peek()?.text ?? '')) reader.next();
  if (reader.take('burst')) {
    reader.next();
    if (/^(packets|\w?bytes)$/.test(reader.peek()?.text ?? '')) reader.next();
  }
  return module('limit', reader.since(start));
};

const quota: Reader = (reader, start) => {
  if (reader.take('name')) takeObjectName(reader);
  else {
    reader.take('over', 'until');
    reader.next();
    reader.next();
    if (reader.take('used')) {
      reader.next();
      reader.next();
    }
  }
  return module('quota', reader.since(start));
};

/** `add @set { ip saddr }`, `update @set { ip saddr timeout 5m limit rate 1/second }`, `meter m { … }`. A limit or count inside decides like a match. */
const setUpdate: Reader = (reader, start) => {
  const name = reader.next()?.text ?? '';
  if (reader.take('size')) reader.next();
  if (!reader.take('{')) return undefined;
  let decides = false;
  for (let depth = 1; depth > 0 && !reader.atEnd(); ) {
    const token = reader.next();
    if (token?.text === '{') depth++;
    if (token?.text === '}') depth--;
    if (token !== undefined && !token.quoted && ['limit', 'count', 'quota'].includes(token.text)) decides = true;
  }
  const text = reader.since(start);
  return decides ? module('meter', text) : goesOn('set-update', `${text}`, [{ name: 'set', negated: false, values: [name] }]);
};

const queue: Reader = (reader, start) => {
  while (/^(num|flags|to|bypass|fanout|[\d-]+|bypass,fanout|fanout,bypass)$/.test(reader.peek()?.text ?? '')) reader.next();
  return { role: 'action', kind: 'queue', text: reader.since(start) };
};

const tproxy: Reader = (reader, start) => {
  reader.take('ip', 'ip6');
  if (!reader.take('to')) return undefined;
  const target = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(reader.next()?.text ?? '');
  const address = target?.[1] ?? target?.[2];
  const port = target?.[3];
  const place = { ...(address ? { address } : {}), ...(port === undefined ? {} : { port: Number(port) }) };
  // Unlike the TPROXY target, the statement of nft lets the rule go on: a mark and an accept follow.
  return { role: 'action', kind: 'tproxy', ends: false, ...place, value: 0, mask: 0, text: reader.since(start) };
};

const flow: Reader = (reader, start) => {
  if (!reader.take('add', 'offload')) return undefined;
  reader.next();
  return goesOn('flow', reader.since(start));
};

const synproxy: Reader = (reader, start) => {
  while (/^(name|mss|wscale|timestamp|sack-perm|\d+)$/.test(reader.peek()?.text ?? '') || reader.peek()?.quoted === true) reader.next();
  return { role: 'action', kind: 'opaqueAction', text: reader.since(start), why: 'synproxy answers in the name of the destination' };
};

const duplicate: Reader = (reader, start) => {
  if (!reader.take('to')) return undefined;
  reader.next();
  if (reader.take('device')) reader.next();
  return goesOn('dup', reader.since(start));
};

/** `fwd to "eth0"`, `fwd ip to 10.0.0.1 device "eth0"`, in netdev tables. */
const forward: Reader = (reader, start) => {
  reader.take('ip', 'ip6');
  if (!reader.take('to')) return undefined;
  reader.next();
  if (reader.take('device')) reader.next();
  return { role: 'action', kind: 'opaqueAction', text: reader.since(start), why: 'fwd sends the packet out of another device' };
};

const last: Reader = (reader, start) => {
  if (reader.take('used')) reader.next();
  return goesOn('last', reader.since(start));
};

const readers = new Map<string, Reader>(
  Object.entries({
    reject,
    log,
    limit,
    quota,
    add: setUpdate,
    update: setUpdate,
    delete: setUpdate,
    meter: setUpdate,
    queue,
    tproxy,
    flow,
    synproxy,
    dup: duplicate,
    fwd: forward,
    last,
    notrack: () => ({ role: 'action', kind: 'notrack' }),
  }),
);

/** `ct count over 20` is a match; `ct helper set "x"`, `ct timeout set`, `ct zone set` change the connection only. */
function readConntrackStatement(reader: NftReader, start: number): Statement | undefined {
  const [first, second, third] = [reader.peek(0)?.text, reader.peek(1)?.text, reader.peek(2)?.text];
  if (first !== 'ct') return undefined;
  if (second === 'count') {
    reader.next();
    reader.next();
    reader.take('over');
    reader.next();
    return module('connlimit', reader.since(start));
  }
  const isSetting = ['helper', 'timeout', 'expectation'].includes(second ?? '') && third === 'set';
  if (!isSetting) return undefined;
  for (let taken = 0; taken < 3; taken++) reader.next();
  takeObjectName(reader);
  return goesOn(`ct ${second}`, reader.since(start));
}
