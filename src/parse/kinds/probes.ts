import { parseCurl } from '../curl.ts';
import { parseDevTcp } from '../dev-tcp.ts';
import { parseDig } from '../dig.ts';
import { parseGetent } from '../getent.ts';
import { parseNc } from '../nc.ts';
import { parseNslookup } from '../nslookup.ts';
import { parseOpensslSClient } from '../openssl-s-client.ts';
import { parsePing } from '../ping.ts';
import { parseResolvConf } from '../resolv-conf.ts';
import { parseTracepath } from '../tracepath.ts';
import { parseTraceroute } from '../traceroute.ts';
import { parseWget } from '../wget.ts';
import { bodyLines, type Kind, kind } from './kind.ts';

/** Kinds of name resolution and probes. */
export const probesKinds: readonly Kind[] = [
  kind(
    'dig',
    'dig, kdig',
    parseDig,
    /^; <<>> DiG |^;; ->>HEADER<<- |^;; (?:Got answer|QUESTION SECTION|ANSWER SECTION|no servers could be reached|connection timed out|communications error)|^- type: MESSAGE/,
  ),
  kind(
    'nslookup',
    'nslookup, host',
    parseNslookup,
    /^Server:\s+\S+|^\*\* server can't find |^nslookup: |^\S+ has (?:IPv6 )?address |^Host \S+ not found: |^\S+ has no \S+ record$|^Name:\s+\S+/,
  ),
  kind(
    'getent',
    'getent hosts, ahosts',
    parseGetent,
    /^[0-9a-f:.]+\s+(?:STREAM|DGRAM|RAW)\b|^\$ getent |^(?:\d+\.){3}\d+ {2,}[a-z][\w.-]+$/,
  ),
  kind(
    'resolv-conf',
    '/etc/resolv.conf',
    parseResolvConf,
    /^nameserver\s+\S|^search\s+\S|^options (?:ndots|timeout|attempts|edns0)|resolv\.conf$/,
  ),
  kind(
    'curl',
    'curl',
    parseCurl,
    /^\r?(?:[\d:. kMG-]{0,120}\r?)curl: \(\d+\)|^curl: \(\d+\)|^\* {3}Trying |^(?:\d{3}|(?:http_)?code=\d{3})(?: +\w+=\S*)+|^< HTTP\/|^HTTP\/\d|^== Info:/,
    bodyLines,
  ),
  kind('dev-tcp', 'bash /dev/tcp', parseDevTcp, /^-?bash: .*(?:connect: |\/dev\/(?:tcp|udp)\/)/),
  kind(
    'wget',
    'wget',
    parseWget,
    /^wget: |^--\d{4}-\d\d-\d\d .*--\s+\S+|^Connecting to \S+ \(\S+\)|^(?:Connecting to|Verbindungsaufbau zu) /,
    bodyLines,
  ),
  kind(
    'nc',
    'nc, ncat',
    parseNc,
    /^(?:nc|Ncat): |^Connection to \S+ .*(?:port|succeeded)|^\S+ \[[^\]]+\] \d+ \([^)]*\) |^\S+ \(\S+:\d+\) open$/,
  ),
  kind('ping', 'ping', parsePing, /^PING \S|^\d+ bytes from \S+: (?:icmp_)?seq=|^ping6?: |packets transmitted, /),
  kind('traceroute', 'traceroute, mtr -r', parseTraceroute, /^traceroute6? to |^HOST: .*Loss%|^traceroute: /),
  kind('tracepath', 'tracepath', parseTracepath, /^ *\d+\??: +(?:\[LOCALHOST\]|no reply|\S+.* [\d.]+ms)|^ +Resume: pmtu /),
  kind(
    'openssl',
    'openssl s_client',
    parseOpensslSClient,
    /^CONNECTED\([0-9A-F]+\)|^CONNECTION ESTABLISHED|^verify error:num=|^connect:errno=|^depth=\d+ /,
  ),
];
