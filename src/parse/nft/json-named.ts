import type { NamedObject } from '../../model/netfilter.ts';
import { member, numberMember, textMember } from './json-value.ts';
import { wordsOfJson } from './json-words.ts';

type Data = Record<string, unknown>;

/** A counter, quota, limit, helper and the like under a name, its inside in the words of a listing, a line each (libnftables-json(5)). */
export function namedObjectOfJson(type: string, data: Data): NamedObject {
  const { name, comment } = data;
  const lines = writers.get(type)?.(data) ?? [JSON.stringify(data)];
  const said = typeof comment === 'string' ? { comment } : {};
  return { type, name: String(name), line: 1, ...said, text: lines.filter((line) => line !== '').join('\n') };
}

type Writer = (data: Data) => string[];

const inside =
  (type: string): Writer =>
  (data) => [(wordsOfJson(type, data) ?? JSON.stringify(data)).slice(type.length + 1)];

const line = (word: string, data: Data, name = word): string => (data[name] === undefined ? '' : `${word} ${data[name]}`);

const timeout: Writer = (data) => {
  const policy = Object.entries(member(data, 'policy') ?? {}).map(([state, seconds]) => `${state} : ${seconds}`);
  return [line('protocol', data), line('l3proto', data), policy.length === 0 ? '' : `policy = { ${policy.join(', ')} }`];
};

const expectation: Writer = (data) => {
  const milliseconds = numberMember(data, 'timeout');
  return [
    line('protocol', data),
    line('dport', data),
    milliseconds === undefined ? '' : `timeout ${milliseconds / 1000}s`,
    line('size', data),
    line('l3proto', data),
  ];
};

const synproxy: Writer = (data) => [
  line('mss', data),
  line('wscale', data),
  Array.isArray(data.flags) ? data.flags.join(' ') : (textMember(data, 'flags') ?? ''),
];

const writers = new Map<string, Writer>(
  Object.entries({
    counter: (data) => [`packets ${data.packets} bytes ${data.bytes}`],
    quota: inside('quota'),
    limit: inside('limit'),
    'ct helper': (data) => [`type "${data.type}" protocol ${data.protocol}`, line('l3proto', data)],
    'ct timeout': timeout,
    'ct expectation': expectation,
    synproxy,
    secmark: (data) => [`"${data.context}"`],
  } satisfies Record<string, Writer>),
);
