import { emptyRecord } from './text-lines.ts';
import { textRecord } from './word-table.ts';

/**
 * The words that the text of `ip -d -s link` has for what its JSON names otherwise (ip/ipaddress.c, ip/iplink_bridge.c, ip/iplink_vxlan.c of iproute2
 * 6.1), so that both forms read the same.
 */
const commonNames: ReadonlyMap<string, string> = new Map([
  ['min_mtu', 'minmtu'],
  ['max_mtu', 'maxmtu'],
  ['num_tx_queues', 'numtxqueues'],
  ['num_rx_queues', 'numrxqueues'],
  ['inet6_addr_gen_mode', 'addrgenmode'],
  ['linkmode', 'mode'],
]);

const bridgeNames: ReadonlyMap<string, string> = new Map([
  ['root_id', 'designated_root'],
  ['group_addr', 'group_address'],
  ['mcast_last_member_cnt', 'mcast_last_member_count'],
  ['mcast_startup_query_cnt', 'mcast_startup_query_count'],
]);

/** JSON and text name the same counters differently. What `-s` alone calls `missed` in text is in JSON only with `-s -s`. */
const counterNames: ReadonlyMap<string, string> = new Map([
  ['over_errors', 'overrun'],
  ['missed_errors', 'missed'],
  ['length_errors', 'length'],
  ['crc_errors', 'crc'],
  ['frame_errors', 'frame'],
  ['fifo_errors', 'fifo'],
  ['multicast', 'mcast'],
  ['carrier_errors', 'carrier'],
  ['collisions', 'collsns'],
  ['aborted_errors', 'aborted'],
  ['window_errors', 'window'],
  ['heartbeat_errors', 'heartbt'],
  ['carrier_changes', 'transns'],
]);

const renamed = <T>(values: Record<string, T>, nameOf: (key: string) => string): Record<string, T> => {
  const record = emptyRecord<T>();
  for (const [key, value] of Object.entries(values)) record[nameOf(key)] = value;
  return record;
};

/** What any kind of interface may have. */
export const commonWordsOfJson = (values: Record<string, string>): Record<string, string> =>
  renamed(values, (key) => commonNames.get(key) ?? key);

export const countersOfJson = (values: Record<string, number>): Record<string, number> =>
  renamed(values, (key) => counterNames.get(key) ?? key);

const portNames: ReadonlyMap<string, string> = new Map([
  ['id', 'port_id'],
  ['no', 'port_no'],
  ['bridge_id', 'designated_bridge'],
  ['root_id', 'designated_root'],
  ['multicast_router', 'mcast_router'],
]);

/** Options of a port are `on` and `off` in the text and booleans in JSON; timers have hundredths in the text. */
export const portWordsOfJson = (values: Record<string, unknown>): Record<string, string> =>
  renamed(
    textRecord(mapped(values, (key, value) => (typeof value === 'boolean' ? (value ? 'on' : 'off') : timerText(key, value)))),
    (key) => portNames.get(key) ?? key,
  );

const mapped = (values: Record<string, unknown>, change: (key: string, value: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(key, value)]));

const timerText = (key: string, value: unknown): unknown =>
  key.endsWith('_timer') && typeof value === 'number' ? value.toFixed(2) : value;

/** The details of a kind. Of bridges and VXLANs they have the names of the text; of other kinds those of the JSON. */
export const detailWordsOfJson = (kind: string | undefined, data: Record<string, unknown>): Record<string, string> => {
  if (kind === 'bridge') return bridgeWords(data);
  return kind === 'vxlan' ? vxlanWords(data) : textRecord(data);
};

const bridgeWords = (data: Record<string, unknown>): Record<string, string> =>
  renamed(textRecord(mapped(flattened(data), timerText)), (key) => bridgeNames.get(key) ?? key.replace(/_intvl$/, '_interval'));

/** `mcast_querier_state_ipv4: {mcast_querier_ipv4_addr}` (iproute2 6.2 and later) is one word with its value in the text. */
const flattened = (data: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => (typeof value === 'object' && value !== null ? Object.entries(value) : [[key, value]])),
  );

const vxlanNames: ReadonlyMap<string, string> = new Map([
  ['local6', 'local'],
  ['remote6', 'remote'],
  ['group6', 'group'],
  ['link', 'dev'],
  ['port', 'dstport'],
  ['limit', 'maxaddr'],
]);

/** Words that stand alone, with `no` before them where they are off. */
const vxlanSwitches: ReadonlyMap<string, string> = new Map([
  ['udp_csum', 'udpcsum'],
  ['udp_zero_csum6_tx', 'udp6zerocsumtx'],
  ['udp_zero_csum6_rx', 'udp6zerocsumrx'],
  ['remcsum_tx', 'remcsumtx'],
  ['remcsum_rx', 'remcsumrx'],
  ['localbypass', 'localbypass'],
]);

const vxlanWords = (data: Record<string, unknown>): Record<string, string> => {
  const words = emptyRecord<string>();
  for (const [key, value] of Object.entries(data)) {
    const word = vxlanSwitches.get(key);
    if (word !== undefined) words[value === true ? word : `no${word}`] = '';
    else if (typeof value === 'boolean') Object.assign(words, value && key !== 'learning' && key !== 'external' ? { [key]: '' } : {});
    else if (key === 'port_range') Object.assign(words, portRange(value));
    else if (key === 'ttl') words.ttl = value === 0 ? 'auto' : String(value);
    else if (key !== 'df' || value !== 'unset') words[vxlanNames.get(key) ?? key] = String(value);
  }
  return words;
};

const portRange = (value: unknown): Record<string, string> => {
  const { low, high } = (typeof value === 'object' && value !== null ? value : {}) as { low?: unknown; high?: unknown };
  return { srcport: String(low), srcport_max: String(high) };
};
