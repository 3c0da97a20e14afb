import type { Parsed } from '../../src/model/parsed.ts';

/** Lines that carry no fact of their own: headings, titles, ends of documents, and messages that are known to be harmless. */
const headings: readonly RegExp[] = [
  /^(Netid\s|State\s|Recv-Q\s).*Local Address:Port/,
  /^Failed to find cgroup2 mount$/,
  /^#kernel/,
  /^\s*Kernel[ -]IP/,
  /^\S+\s.*\s(Genmask|Next Hop)\s/,
  /^Iface\s+Destination/,
  /^(IP address\s+HW type|Address\s+HWtype)/,
  /^\s*(Active|Aktive) /,
  /^Proto Recv-Q Send-Q/,
  /^port\s+vlan/,
  /^bridge name\s/,
  /^port no\s/,
  /^Inter-\||^\s*face \|/,
  /^\s*sl\s+local_address/,
  /^entries\s/,
  /^(Features for|Settings for|Actual changes|NIC statistics)/,
  /^(Ip|Ip6|Icmp|Icmp6|IcmpMsg|Tcp|Udp|UdpLite|TcpExt|IpExt|MPTcpExt):( [A-Z]|$)/,
  /^\s+ICMP (input|output) histogram/,
  /^[A-Z][A-Za-z0-9]*: [-0-9 ]+$/, // /proc/net/netstat: its numbers are counters one by one
  /^<\?xml|^<\/?conntrack>$/,
  /conntrack v[0-9.]+ \(conntrack-tools\): [0-9]+ (flow entries|expectations|flow events) have been shown\.$/,
];

/**
 * Non-blank lines of the input that are neither quoted by an item of the value, nor in `unparsed`, nor a known heading: always empty for a parser that
 * drops nothing. For a JSON array: items that are neither in the value nor in `unparsed`.
 */
export const unquoted = (text: string, parsed: Parsed<unknown>): string[] => {
  const lines = unquotedLines(text, parsed);
  const items = lines.length === 0 ? undefined : jsonItems(text);
  return items === undefined ? lines : missingItems(items, parsed);
};

const unquotedLines = (text: string, { value, unparsed }: Parsed<unknown>): string[] => {
  const quotes = textsOf(value).join('\n').split('\n').map(squeeze);
  const known = new Set([...quotes, ...unparsed.map((line) => squeeze(line.text))]);
  const refused = new Set(unparsed.map(({ line }) => line));
  return text
    .split('\n')
    .map((line, index) => ({ line: line.replace(/\r$/, ''), number: index + 1 }))
    .filter(
      ({ line, number }, index, all) =>
        line.trim() !== '' &&
        !isTitle(line, all[index + 1]?.line) &&
        !refused.has(number) &&
        !isQuoted(line, known) &&
        !isHalf(line, known, text) &&
        !headings.some((heading) => heading.test(line)),
    )
    .map(({ line, number }) => `${number}: ${line}`);
};

/** Joined lines (`-o` with backslashes, a message written into a line) are quoted in pieces. */
const isQuoted = (line: string, known: ReadonlySet<string>): boolean => {
  const pieces = line
    .split('\\')
    .map(squeeze)
    .filter((piece) => piece !== '');
  return pieces.every((piece) => known.has(piece));
};

/** Half of a line that conntrack's closing message was written into. */
const isHalf = (line: string, known: ReadonlySet<string>, text: string): boolean => {
  if (!/\S *conntrack v[0-9.]+ \(conntrack-tools\): /.test(text)) return false;
  const cut = squeeze(line.replace(/conntrack v[0-9.]+ \(conntrack-tools\): .*$/, ''));
  return cut !== '' && [...known].some((quote) => quote.startsWith(cut) || quote.endsWith(squeeze(line)));
};

/** The line above a heading of route or netstat, in any language: it has no digits, so it can hold no fact. */
const isTitle = (line: string, next: string | undefined): boolean =>
  !/[0-9]/.test(line.replace(/IPv[46]/, '')) && /Genmask|Next Hop|^Proto Recv-Q Send-Q/.test(next ?? '');

const squeeze = (text: string): string => text.trim().replace(/\s+/g, ' ');

const textsOf = (value: unknown): string[] => {
  if (typeof value === 'number') return [String(value)]; // the whole value of a count
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'text' && typeof inner === 'string' ? [inner] : typeof inner === 'object' ? textsOf(inner) : [],
  );
};

const jsonItems = (text: string): unknown[] | undefined => {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

const missingItems = (items: readonly unknown[], parsed: Parsed<unknown>): string[] => {
  const lines = new Set([...linesOf(parsed.value), ...parsed.unparsed.map(({ line }) => line)]);
  return items.flatMap((item, index) =>
    lines.has(index + 1) || JSON.stringify(item) === '{}' || JSON.stringify(item).includes('"vlans":[]') ? [] : [`item ${index + 1}`],
  );
};

const linesOf = (value: unknown): number[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'line' && typeof inner === 'number' ? [inner] : linesOf(inner)));
};
