import { cleanText } from './sanitize.ts';
import { count } from './words.ts';

/**
 * A list of alike things as a table. Columns are the fields that any of them has, lists and nested values as text, those that matter most first; what does not fit is counted
 * and left to the JSON, so that nobody takes a table for all that was read.
 */
export function tableLines(given: readonly Record<string, unknown>[]): string[] {
  const items = given.map(lifted);
  const all = columnsOf(items);
  const shown = all.slice(0, mostColumns);
  const rows = items.map((item) => shown.map((name) => cellOf(item[name])));
  const texts = rows.map((row) => row.map(shortened));
  const widths = shown.map((name, column) => texts.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), name.length));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(shown), ...texts.map(line), ...leftOut(all.slice(mostColumns), rows)];
}

const mostColumns = 10;
const widest = 100;

const shortened = (cell: string): string => (cell.length > widest ? `${cell.slice(0, widest - 1)}…` : cell);

function leftOut(names: readonly string[], rows: readonly string[][]): string[] {
  const hidden =
    names.length === 0 ? [] : [`${count(names.length, 'more column')} (${names.map((name) => cleanText(name)).join(', ')}): -o json`];
  const cut = rows.some((row) => row.some((cell) => cell.length > widest)) ? ['… a value that is longer: -o json'] : [];
  return hidden.length + cut.length === 0 ? [] : ['', ...hidden, ...cut];
}

/** What people look for first in the output of any tool: who, where to, which way, how it stands. */
const firstColumns = [
  ...[
    'line',
    'kind',
    'priority',
    'not',
    'netid',
    'protocolName',
    'name',
    'type',
    'dst',
    'destination',
    'from',
    'to',
    'state',
    'local',
    'peer',
  ],
  ...[
    'address',
    'addresses',
    'gateway',
    'via',
    'dev',
    'mac',
    'states',
    'fwmark',
    'iif',
    'oif',
    'action',
    'nexthops',
    'processes',
    'table',
    'src',
  ],
  ...['metric', 'flags', 'encap', 'protocol', 'scope', 'mtu'],
];
/** What another column says too, or what is the same in nearly every text. */
const lastColumns = ['recvQueue', 'sendQueue', 'index', 'family', 'families', 'details', 'lastLine'];

function columnsOf(items: readonly Record<string, unknown>[]): string[] {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))].filter(
    (name) => name !== 'text' && items.some((item) => cellOf(item[name]) !== ''),
  );
  const rank = (name: string): number => {
    if (items.every((item) => item[name] === undefined || item[name] === false)) return 3000;
    if (lastColumns.includes(name)) return 2000 + lastColumns.indexOf(name);
    return firstColumns.includes(name) ? firstColumns.indexOf(name) : 1000;
  };
  // A prefix that was read from a text which stands there as well.
  const isTwice = (name: string): boolean => name === 'destination' && names.includes('dst');
  return names
    .filter((name) => !isTwice(name))
    .map((name) => ({ name, rank: rank(name) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ name }) => name);
}

/** `ip route get` is a line about one route: its fields stand beside the others, so that they get columns of their own. */
function lifted(item: Record<string, unknown>): Record<string, unknown> {
  const { route, ...others } = item;
  return isRecord(route) ? { ...route, ...others } : item;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const cellOf = (value: unknown): string => cleanText(textOf(value));

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(textOf).join(value.some(isRecord) ? '; ' : ',');
  if (!isRecord(value)) return String(value);
  return addressText(value) ?? fieldsText(value);
}

/** An address, a prefix or an address with its port, as the tools write them. */
function addressText(value: Record<string, unknown>): string | undefined {
  const { address, length, prefixLength, text, value: number, mask, host } = value;
  if (typeof text === 'string' && typeof number === 'bigint') return text;
  if (isRecord(address) && typeof length === 'number') return `${textOf(address)}/${length}`;
  // Its label, scope and lifetimes are in the JSON.
  if (typeof address === 'string' && typeof prefixLength === 'number') return `${address}/${prefixLength}`;
  if (typeof number === 'number' && typeof mask === 'number') return `0x${number.toString(16)}/0x${mask.toString(16)}`;
  return typeof host === 'string' && Object.keys(value).every((key) => socketWords.has(key)) ? socketText(host, value) : undefined;
}

const socketWords = new Set(['host', 'zone', 'port', 'service']);

function socketText(host: string, { zone, port, service }: Record<string, unknown>): string {
  // A socket of a path has no port.
  if (/^[/@]/.test(host) && port === undefined && service === undefined) return host;
  const whole = zone === undefined ? host : `${host}%${textOf(zone)}`;
  return `${host.includes(':') ? `[${whole}]` : whole}:${textOf(port ?? service ?? '*')}`;
}

/** `via 172.18.0.3 dev eth0`; lines and quotes of the input are left out. */
function fieldsText(value: Record<string, unknown>): string {
  return Object.entries(value)
    .filter(([key, inner]) => key !== 'line' && key !== 'text' && key !== 'lastLine' && inner !== false && textOf(inner) !== '')
    .map(([key, inner]) => (inner === true ? key : key === 'kind' ? textOf(inner) : `${key} ${textOf(inner)}`))
    .join(' ');
}
