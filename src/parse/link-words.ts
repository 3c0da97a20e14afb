import type { Link } from '../model/link.ts';
import { type KeywordHandler, otherValues } from './word-table.ts';

/** Words of `ip -d link` that any kind of interface may have, each with one value (print_linkinfo() in ip/ipaddress.c, iproute2 6.15). */
export const commonWordNames = [
  ...['promiscuity', 'allmulti', 'minmtu', 'maxmtu', 'addrgenmode', 'numtxqueues', 'numrxqueues', 'gso_max_size', 'gso_max_segs'],
  ...[
    'tso_max_size',
    'tso_max_segs',
    'gro_max_size',
    'gso_ipv4_max_size',
    'gro_ipv4_max_size',
    'max_pacing_offload_horizon',
    'portname',
    'portid',
    'switchid',
  ],
  ...[
    'parentbus',
    'parentdev',
    'netns-immutable',
    'tx-udp-zero-csum',
    'carrier',
    'carrier_changes',
    'carrier_up_count',
    'carrier_down_count',
    'devlink_port',
  ],
] as const;

export const commonWords: [string, KeywordHandler<Link>][] = otherValues<Link>(...commonWordNames);
