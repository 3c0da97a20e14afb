import { addressFromValue, type Cidr, makeCidr, maskLength, parseAddress, parseCidr } from '../model/ip.ts';
import type { HasLine, Parsed, UnparsedLine } from '../model/parsed.ts';
import { type Attempt, readText, type TextLine, toCount, unparsedLine, wordsOf } from './text-lines.ts';

/**
 * A row of `route -n`, `netstat -rn` or /proc/net/route. Poorer than `ip route`: of a multipath route only the first way out is shown, an IPv6 gateway of
 * an IPv4 route reads 0.0.0.0, throw and blackhole look alike, only the main table is there.
 */
export interface LegacyRoute extends HasLine {
  text: string;
  destination: Cidr;
  /** `undefined` when there is none or the flags say that there is one that can't be shown. */
  gateway?: string;
  /** The flag G is set and the gateway reads as zero: it is of the other family. */
  gatewayHidden: boolean;
  flags: string;
  /** Not in `netstat -rn`. */
  metric?: number;
  dev?: string;
  /** `reject`: unreachable or prohibit. `discard-or-throw`: interface `*`, as blackhole and throw are shown. */
  kind: 'way' | 'reject' | 'discard-or-throw';
  mtu?: number;
}

/**
 * `route -n`, `netstat -rn` (also `-A inet6`) of net-tools 1.60 to 2.10 and BusyBox 1.35, whatever the language of the headings, and
 * /proc/net/route. Without `-n`, names stand in place of addresses: such rows are unparsed. The headings are always there, so a text without is never complete.
 */
export const parseRouteN = (text: string): Parsed<LegacyRoute[]> => {
  const { lines, whole } = readText(text);
  const value: LegacyRoute[] = [];
  const unparsed: UnparsedLine[] = [];
  let parseRow: RowParser | undefined;
  lines.forEach((line, index) => {
    if (line.text.trim() === '') return;
    const next = rowParserOf(line.text);
    if (next !== undefined) parseRow = next;
    else if (rowParserOf(lines[index + 1]?.text ?? '') === undefined) {
      // not the title above a heading, so a row
      const attempt: Attempt<LegacyRoute> = parseRow === undefined ? { why: 'stands before the heading' } : parseRow(line);
      if ('ok' in attempt) value.push(attempt.ok);
      else unparsed.push(unparsedLine(line, attempt.why));
    } else if (!isTitle(line.text)) unparsed.push(unparsedLine(line, 'stands where a title should'));
  });
  return { value, unparsed, complete: whole && unparsed.length === 0 && parseRow !== undefined };
};

/** `Kernel IP routing table` in the seven languages of net-tools 2.10: each names the protocol, none has another number or a column. */
const isTitle = (text: string): boolean => /^\D{0,60}IP(?:v[46])?\D{0,60}$/.test(text) && !/\s{2}|\t/.test(text.trim());

type RowParser = (line: TextLine) => Attempt<LegacyRoute>;

/** The headings of net-tools 2.10 in its languages, spaces squeezed, and BusyBox's (the English ones). Anything else is no heading: damage must not pass for one. */
const headings: Readonly<Record<'metric' | 'mss' | 'both' | 'inet6' | 'proc', readonly string[]>> = {
  metric: [
    'Destination Gateway Genmask Flags Metric Ref Use Iface',
    'Ziel Router Genmask Flags Metric Ref Use Iface',
    'Destination Passerelle Genmask Indic Metric Ref Use Iface',
    'Destino Roteador MáscaraGen. Opções Métrica Ref Uso Iface',
    'Adresát Brána Maska Přízn Metrik Odkazů Užt Rozhraní',
    'Sihtpunkt Ruuter Võrgumask Lipud Meetr Mitu Kasut Liides',
    '受信先サイト ゲートウェイ ネットマスク フラグ Metric Ref 使用数 インタフェース',
  ],
  mss: [
    'Destination Gateway Genmask Flags MSS Window irtt Iface',
    'Ziel Router Genmask Flags MSS Fenster irtt Iface',
    'Destination Passerelle Genmask Indic MSS Fenêtre irtt Iface',
    'Destino Roteador MáscaraGen. Opções MSS Janela irtt Iface',
    'Adresát Brána Maska Přízn MSS Okno irtt Rozhraní',
    'Sihtpunkt Ruuter Võrgumask Lipud MSS Aken irtt Liides',
    '受信先サイト ゲートウェイ ネットマスク フラグ MSS Window irtt インタフェース',
  ],
  // `-ee`
  both: ['Destination Gateway Genmask Flags Metric Ref Use Iface MSS Window irtt'],
  inet6: [
    'Destination Next Hop Flag Met Ref Use If',
    'Destination Next Hop Flags Metric Ref Use Iface',
    'Ziel Nächster Hop Flags Metric Ref Benutzer Iface',
    'Destination Prochain Hop Indic Metric Ref Utilis. Iface',
    'Destino Próximo "Hop" Opções Métrica Ref Uso Iface',
    'Adresát Další směrovač Příz Met Odk Užt Rozhr',
    'Sihtpunkt Järgmine samm Lipud Meetr Mitu Kasut Liides',
    '送信先サイト 次回ホップ フラグ Metric Ref 使用数 インタフェース',
  ],
  proc: ['Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT'],
};

const rowParserOf = (text: string): RowParser | undefined => {
  const words = wordsOf(text.slice(0, 300)).join(' ');
  if (headings.metric.includes(words)) return (line) => parseRow4(line, 'metric');
  if (headings.mss.includes(words)) return (line) => parseRow4(line, 'mss');
  if (headings.both.includes(words)) return parseRowOfBoth;
  if (headings.inet6.includes(words)) return parseRow6;
  return headings.proc.includes(words) ? parseProcRow : undefined;
};

interface Columns {
  destination: Cidr | undefined;
  gateway: string;
  flags: string;
  dev: string;
}

const legacyRoute = (line: TextLine, { destination, gateway, flags, dev }: Columns): Attempt<LegacyRoute> => {
  if (destination === undefined) return { why: 'no destination with a mask' };
  if (!/^[!A-Za-z]+$/.test(flags)) return { why: 'unknown flags' };
  const address = gateway === '-' || gateway === '*' ? undefined : parseAddress(gateway);
  if (address === undefined && gateway !== '-' && gateway !== '*') return { why: 'the gateway is no address' };
  const hasGateway = address !== undefined && address.value !== 0n;
  const route: LegacyRoute = { ...line, destination, gatewayHidden: flags.includes('G') && !hasGateway, flags, kind: kindOf(flags, dev) };
  if (hasGateway) route.gateway = address.text;
  if (dev !== '-' && dev !== '*') route.dev = dev;
  return { ok: route };
};

const kindOf = (flags: string, dev: string): LegacyRoute['kind'] =>
  flags.includes('!') ? 'reject' : dev === '*' ? 'discard-or-throw' : 'way';

/** net-tools print the 32 bits of a metric as a signed number. */
const unsigned = (text: string): number | undefined => (/^-[0-9]{1,10}$/.test(text) ? 2 ** 32 + Number(text) : toCount(text));

/** `10.0.0.0  10.0.0.1  255.255.0.0  UG  100  0  0 eth0`, or MSS, Window and irtt in place of Metric, Ref and Use. */
const parseRow4 = (line: TextLine, fifth: 'metric' | 'mss'): Attempt<LegacyRoute> => {
  const [network = '', gateway = '', mask = '', flags = '', number = '', , , dev = '', ...rest] = wordsOf(line.text);
  const length = maskLength(mask);
  const address = network === 'default' ? parseAddress('0.0.0.0') : parseAddress(network);
  if (address === undefined || length === undefined || dev === '' || rest.length > 0 || !/^(-|-?[0-9]{1,10})$/.test(number))
    return { why: 'unknown columns' };
  const attempt = legacyRoute(line, { destination: makeCidr(address, length), gateway, flags, dev });
  const value = unsigned(number);
  if ('ok' in attempt && value !== undefined && fifth === 'metric') attempt.ok.metric = value;
  if ('ok' in attempt && value !== undefined && value > 0 && fifth === 'mss') attempt.ok.mtu = value;
  return attempt;
};

/** `-ee`: the columns of `metric`, and MSS, Window and irtt behind the interface. */
const parseRowOfBoth = (line: TextLine): Attempt<LegacyRoute> => {
  const words = wordsOf(line.text);
  const [mss = '', ...rest] = words.slice(8);
  if (rest.length !== 2 || !/^(-|[0-9]{1,10})$/.test(mss)) return { why: 'unknown columns' };
  const attempt = parseRow4({ line: line.line, text: words.slice(0, 8).join(' ') }, 'metric');
  const mtu = toCount(mss);
  if ('ok' in attempt) attempt.ok.text = line.text;
  if ('ok' in attempt && mtu !== undefined && mtu > 0) attempt.ok.mtu = mtu;
  return attempt;
};

/** `2001:db8::/64  ::  U  256 3  0 eth0`; a destination may fill its column (`[::]/0` in some versions). */
const parseRow6 = (line: TextLine): Attempt<LegacyRoute> => {
  const [destination = '', gateway = '', flags = '', metric = '', , , dev = '', ...rest] = wordsOf(line.text);
  if (dev === '' || rest.length > 0 || !/^-?[0-9]{1,10}$/.test(metric)) return { why: 'unknown columns' };
  const strip = (text: string): string => text.replace(/[[\]]/g, '');
  const attempt = legacyRoute(line, { destination: parseCidr(strip(destination)), gateway: strip(gateway), flags, dev });
  const value = unsigned(metric);
  if ('ok' in attempt && value !== undefined) attempt.ok.metric = value;
  return attempt;
};

/** Flag bits of linux/route.h: 1 up, 2 gateway, 4 host, 0x200 reject. */
const parseProcRow = (line: TextLine): Attempt<LegacyRoute> => {
  const [dev = '', network = '', gatewayHex = '', flagHex = '', , , metric, maskHex = '', mtu] = wordsOf(line.text);
  const address = addressOf(network);
  const gateway = addressOf(gatewayHex);
  const mask = addressOf(maskHex);
  const length = mask === undefined ? undefined : maskLength(mask.text);
  const bits = /^[0-9A-F]{4}$/.test(flagHex) ? Number.parseInt(flagHex, 16) : undefined;
  if (address === undefined || gateway === undefined || length === undefined || bits === undefined) return { why: 'not a route' };
  const flags = `${bits & 1 ? 'U' : ''}${bits & 2 ? 'G' : ''}${bits & 4 ? 'H' : ''}${bits & 0x200 ? '!' : ''}`;
  const attempt = legacyRoute(line, {
    destination: makeCidr(address, length),
    gateway: gateway.text,
    flags: flags === '' ? 'd' : flags,
    dev,
  });
  const metricNumber = toCount(metric);
  const mtuNumber = toCount(mtu);
  if ('ok' in attempt && metricNumber !== undefined) attempt.ok.metric = metricNumber;
  if ('ok' in attempt && mtuNumber !== undefined && mtuNumber > 0) attempt.ok.mtu = mtuNumber;
  return attempt;
};

/** Eight hexadecimal digits in the machine's byte order, taken as little-endian. */
const addressOf = (hex: string): ReturnType<typeof addressFromValue> => {
  if (!/^[0-9A-F]{8}$/.test(hex)) return undefined;
  const bytes = (hex.match(/../g) ?? []).reverse().join('');
  return addressFromValue(4, BigInt(`0x${bytes}`));
};
