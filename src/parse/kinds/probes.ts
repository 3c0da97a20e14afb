import { parseArping } from '../arping.ts';
import { parseCurl } from '../curl.ts';
import { parseDevTcp } from '../dev-tcp.ts';
import { parseDig } from '../dig.ts';
import { parseFping } from '../fping.ts';
import { parseGetent } from '../getent.ts';
import { parseNc } from '../nc.ts';
import { parseNslookup } from '../nslookup.ts';
import { parseOpensslSClient } from '../openssl-s-client.ts';
import { parsePing } from '../ping.ts';
import { parseResolvConf } from '../resolv-conf.ts';
import { parseTracepath } from '../tracepath.ts';
import { parseTraceroute } from '../traceroute.ts';
import { parseWget } from '../wget.ts';
import { bodyLines, type Kind, kind, nothingIn, open } from './kind.ts';

/** Kinds of name resolution and probes. */
export const probesKinds: readonly Kind[] = [
  kind(
    'dig',
    'dig, kdig, drill, mdig, delv, host -v',
    parseDig,
    /^; <<>> DiG |^;; ->>HEADER<<- |^;; (?:Got answer|QUESTION SECTION|ANSWER SECTION|no servers could be reached|connection timed out|communications error|resolution failed: )|^- type: MESSAGE/,
    { otherwise: open('a query has no closing lines') },
  ),
  kind(
    'nslookup',
    'nslookup, host',
    parseNslookup,
    /^Server:\s+\S+|^\*\* server can't find |^nslookup: |^\S+ has (?:IPv6 )?address |^Host \S+ not found: |^\S+ has no \S+ record$|^Name:\s+\S+|^\S+\t(?:canonical name|name|service|mail exchanger|text|nameserver) = /,
    { otherwise: open('neither an answer nor a failure is in it') },
  ),
  kind(
    'getent',
    'getent hosts, ahosts',
    parseGetent,
    /^[0-9a-f:.]+\s+(?:STREAM|DGRAM|RAW)\b|^\$ getent |^(?:\d+\.){3}\d+ {2,}[a-z][\w.-]+$/,
    { otherwise: open('no address is in it') },
  ),
  kind(
    'resolv-conf',
    '/etc/resolv.conf',
    parseResolvConf,
    /^nameserver\s+\S|^search\s+\S|^options (?:ndots|timeout|attempts|edns0)|resolv\.conf$/,
    { otherwise: open('it could not be read') },
  ),
  kind(
    'curl',
    'curl',
    parseCurl,
    /^\r?(?:[\d:. kMG-]{0,120}\r?)curl: \(\d+\)|^curl: \(\d+\)|^\* {3}Trying |^(?:\d{3}|(?:http_)?code=\d{3})(?: +\w+=\S*)+|^ {2}% Total {4}% Received|^< HTTP\/|^HTTP\/\d|^== Info:/,
    { doubtful: bodyLines, otherwise: open('a request has no end') },
  ),
  kind('dev-tcp', 'bash /dev/tcp', parseDevTcp, /^-?bash: .*(?:connect: |\/dev\/(?:tcp|udp)\/)/, { otherwise: nothingIn }),
  kind(
    'wget',
    'wget',
    parseWget,
    /^wget: |^--\d{4}-\d\d-\d\d .*--\s+\S+|^Connecting to \S+ \(\S+\)|^(?:Connecting to|Verbindungsaufbau zu) /,
    { doubtful: bodyLines, otherwise: open('a request has no end') },
  ),
  kind(
    'nc',
    'nc, ncat',
    parseNc,
    /^(?:nc|Ncat): |^telnet: can't connect |^Connection to \S+ .*(?:port|succeeded)|^\S+ \[[^\]]+\] \d+ \([^)]*\) |^\S+ \(\S+:\d+\) open$/,
    { otherwise: nothingIn },
  ),
  kind('ping', 'ping', parsePing, /^PING \S|^\d+ bytes from \S+: (?:icmp_)?seq=|^ping6?: |packets transmitted, /, {
    otherwise: open('a run has no closing statistics'),
  }),
  kind(
    'fping',
    'fping',
    parseFping,
    /^\S+ +: \[\d+\], |^\S+ +: xmt\/rcv\/%loss = |^\S+ is (?:alive|unreachable)\b|^ICMP .* for ICMP Echo sent to /,
    {
      otherwise: open('a target has neither closing figures nor a verdict'),
    },
  ),
  kind('arping', 'arping', parseArping, /^ARPING \S+ from \S+ \S+$|^(?:Uni|Broad)cast re(?:ply|quest) from /, {
    otherwise: open('a run has no closing lines'),
  }),
  kind(
    'traceroute',
    'traceroute, mtr -r, --csv, --json',
    parseTraceroute,
    /^traceroute6? to |^HOST: .*Loss%|^traceroute: |^Mtr_Version,|^\s*"mtr": ?\{/,
    {
      otherwise: open('a run ends before its target'),
    },
  ),
  kind('tracepath', 'tracepath', parseTracepath, /^ *\d+\??: +(?:\[LOCALHOST\]|no reply|\S+.* [\d.]+ms)|^ +Resume: pmtu /, {
    otherwise: open('a run has no "Resume" line'),
  }),
  kind(
    'openssl',
    'openssl s_client',
    parseOpensslSClient,
    /^CONNECTED\([0-9A-F]+\)|^CONNECTION ESTABLISHED|^verify error:num=|^connect:errno=|^depth=\d+ /,
    { otherwise: open('a connection or certificate has no end') },
  ),
];
