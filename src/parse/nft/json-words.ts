import { expressionOfJson } from './json-expressions.ts';
import { member, numberMember, only, textMember } from './json-value.ts';
import { expressionText } from './print-expressions.ts';

/**
 * The words in which `nft list ruleset` prints a statement or an object of libnftables-json(5) that is kept as its words. What is read of them is then
 * the same, whichever form a ruleset came in. Undefined when a member is not as it should be.
 */
export function wordsOfJson(kind: string, content: unknown): string | undefined {
  const words = writers.get(kind)?.(content);
  return words?.some((word) => word === undefined) ? undefined : words?.filter((word) => word !== '').join(' ');
}

type Words = (string | undefined)[];
type Writer = (content: unknown) => Words | undefined;

/** `["a", "b"]`, `"a"` or nothing. */
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]);
const text = (value: unknown): string => expressionText(expressionOfJson(value));
const part = (word: string, value: unknown): string => (value === undefined ? '' : `${word} ${value}`);

/** A limit, a quota and the like that stands in the table under a name, or a map to such names. */
const named =
  (word: string, write: Writer): Writer =>
  (content) => {
    if (typeof content === 'string') return [word, 'name', `"${content}"`];
    const map = member(content, 'map');
    return map === undefined ? write(content) : [word, 'name', text(content)];
  };

/** nft prints a burst only where it is not the five packets, or no bytes, that it is without being said. */
const limit: Writer = (content) => {
  const [rate, per, burst] = [numberMember(content, 'rate'), textMember(content, 'per') ?? 'second', numberMember(content, 'burst')];
  const [unit, burstUnit] = [textMember(content, 'rate_unit'), textMember(content, 'burst_unit')];
  const isBytes = unit !== undefined && unit !== 'packets';
  const isUsual = burst === undefined || burst === (isBytes ? 0 : 5);
  return [
    'limit rate',
    member(content, 'inv') === true ? 'over' : '',
    rate === undefined ? undefined : isBytes ? `${rate} ${unit}/${per}` : `${rate}/${per}`,
    isUsual ? '' : `burst ${burst} ${isBytes ? (burstUnit ?? 'bytes') : 'packets'}`,
  ];
};

const quota: Writer = (content) => {
  const value = numberMember(content, 'val') ?? numberMember(content, 'bytes');
  const used = numberMember(content, 'used') ?? 0;
  const whole = (bytes: number, unit: unknown): string => (unit === undefined ? bytesText(bytes) : `${bytes} ${unit}`);
  return [
    'quota',
    member(content, 'inv') === true ? 'over' : '',
    value === undefined ? undefined : whole(value, member(content, 'val_unit')),
    used === 0 ? '' : `used ${whole(used, member(content, 'used_unit'))}`,
  ];
};

/** As src/datatype.c of nftables writes a number of bytes: in the largest unit that leaves no rest. */
function bytesText(bytes: number): string {
  const power = bytes > 0 && bytes % 2 ** 20 === 0 ? 2 : bytes > 0 && bytes % 1024 === 0 ? 1 : 0;
  return `${bytes / 1024 ** power} ${['bytes', 'kbytes', 'mbytes'][power]}`;
}

const log: Writer = (content) => {
  const prefix = textMember(content, 'prefix');
  return [
    'log',
    prefix === undefined ? '' : `prefix "${prefix}"`,
    part('group', member(content, 'group')),
    part('snaplen', member(content, 'snaplen')),
    part('queue-threshold', member(content, 'queue-threshold')),
    part('level', member(content, 'level')),
    ...logFlags(list(member(content, 'flags'))),
  ];
};

/** `["tcp sequence", "tcp options", "ip options"]` is `flags tcp sequence,options flags ip options`. */
function logFlags(flags: string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const flag of flags) {
    const [group = '', ...rest] = flag.split(' ');
    groups.set(group, [...(groups.get(group) ?? []), ...rest]);
  }
  return [...groups].map(([group, rest]) => `flags ${group}${rest.length === 0 ? '' : ` ${rest.join(',')}`}`);
}

const connectionCount: Writer = (content) => {
  const value = numberMember(content, 'val');
  return ['ct count', member(content, 'inv') === true ? 'over' : '', value === undefined ? undefined : `${value}`];
};

/** What is put into a set: an expression, perhaps with a timeout or a comment of its own. */
function elementWords(value: unknown): Words {
  const wrapped = member(value, 'elem');
  if (wrapped === undefined) return [text(value)];
  const [timeout, comment] = [numberMember(wrapped, 'timeout'), textMember(wrapped, 'comment')];
  return [
    text(member(wrapped, 'val')),
    timeout === undefined ? '' : `timeout ${durationText(timeout)}`,
    comment === undefined ? '' : `comment "${comment}"`,
  ];
}

/** `3660` is `1h1m`. */
function durationText(seconds: number): string {
  const parts = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((value, index) => (value === 0 ? '' : `${value}${'dhms'[index]}`)).join('') || '0s';
}

const insideWords = (value: unknown): Words =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((statement: unknown) => {
    const [kind = '', content] = only(statement) ?? [];
    return wordsOfJson(kind, content);
  });

const setUpdate: Writer = (content) => {
  const [operation, set, data] = [
    textMember(content, 'op'),
    textMember(content, 'set') ?? textMember(content, 'map'),
    member(content, 'data'),
  ];
  const value = data === undefined ? [] : [':', text(data)];
  return [operation, set, '{', ...elementWords(member(content, 'elem')), ...insideWords(member(content, 'stmt')), ...value, '}'];
};

const meter: Writer = (content) => [
  'meter',
  textMember(content, 'name'),
  part('size', member(content, 'size')),
  '{',
  ...elementWords(member(content, 'key')),
  ...insideWords(member(content, 'stmt')),
  '}',
];

const queue: Writer = (content) => {
  const flags = list(member(content, 'flags')).join(',');
  const number = member(content, 'num');
  return ['queue', flags === '' ? '' : `flags ${flags}`, number === undefined ? '' : `to ${text(number)}`];
};

const tproxy: Writer = (content) => {
  const [family, address, port] = [textMember(content, 'family'), member(content, 'addr'), member(content, 'port')];
  const host = address === undefined ? '' : text(address);
  const behind = port === undefined ? '' : `:${text(port)}`;
  return ['tproxy', family ?? '', 'to', `${host.includes(':') && behind !== '' ? `[${host}]` : host}${behind}`];
};

const synproxy: Writer = (content) => [
  'synproxy',
  part('mss', member(content, 'mss')),
  part('wscale', member(content, 'wscale')),
  ...list(member(content, 'flags')),
];

const towards =
  (word: string): Writer =>
  (content) => {
    const [family, address, device] = [textMember(content, 'family'), member(content, 'addr'), member(content, 'dev')];
    if (address === undefined) return [word, 'to', device === undefined ? undefined : text(device)];
    return [word, family ?? '', 'to', text(address), device === undefined ? '' : `device "${text(device)}"`];
  };

const setting =
  (word: string): Writer =>
  (content) => [word, 'set', typeof content === 'string' ? `"${content}"` : text(content)];

const writers = new Map<string, Writer>(
  Object.entries({
    limit: named('limit', limit),
    quota: named('quota', quota),
    counter: named('counter', () => ['counter']),
    synproxy: named('synproxy', synproxy),
    log,
    queue,
    tproxy,
    meter,
    set: setUpdate,
    map: setUpdate,
    dup: towards('dup'),
    fwd: towards('fwd'),
    'ct count': connectionCount,
    'ct helper': setting('ct helper'),
    'ct timeout': setting('ct timeout'),
    'ct expectation': setting('ct expectation'),
    flow: (content) => ['flow', textMember(content, 'op'), textMember(content, 'flowtable')],
    last: (content) => ['last', part('used', member(content, 'used'))],
  } satisfies Record<string, Writer>),
);
