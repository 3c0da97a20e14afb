import type { HasLine } from './parsed.ts';
import type { ProbeFailure, ShellMark } from './probe.ts';

/** A `nameserver` line of resolv.conf. */
export interface Nameserver extends HasLine {
  address: string;
  /** False when glibc takes no notice of it: not an address, or beyond the third. */
  used: boolean;
}

/** resolv.conf(5) as glibc reads it: the last `search` or `domain` line counts, options add up and the last value of each counts. */
export interface ResolvConf {
  nameservers: Nameserver[];
  /** The list in force; undefined = neither `search` nor `domain` is there (glibc then takes the domain part of the host's own name). */
  search: (HasLine & { domains: string[]; keyword: 'search' | 'domain' }) | undefined;
  options: (HasLine & { name: string; value: string | undefined })[];
  /** As glibc applies them: ndots at most 15, timeout at most 30 s, attempts at most 5. */
  ndots: number;
  timeoutSeconds: number;
  attempts: number;
  /** Known keywords that a Linux resolver takes no part in, `search` and `domain` lines overridden later, lines that begin with a blank. */
  ignored: (HasLine & { text: string; why: string })[];
  comments: number[];
  /** `cat: /etc/resolv.conf: No such file or directory`, `0 /etc/resolv.conf` of wc. */
  readErrors: (HasLine & { text: string })[];
  /** What differs between resolvers, for people. */
  notes: string[];
}

export interface DnsRecord extends HasLine {
  section: 'answer' | 'authority' | 'additional' | 'unknown';
  name: string;
  ttl: number | undefined;
  class: string;
  type: string;
  data: string;
}

/** One query of dig or kdig and what came of it. */
export interface DigRun extends HasLine {
  /** All lines that belong to it. */
  lines: number[];
  /** What stands behind `<<>>`; dig 9.16 prints options without their values. */
  command: string | undefined;
  version: string | undefined;
  /** `communications error to …`, `no servers could be reached`, bad options, unknown server names. */
  failures: ProbeFailure[];
  header: (HasLine & { opcode: string; status: string; id: number }) | undefined;
  flags: (HasLine & { flags: string[]; query: number; answer: number; authority: number; additional: number }) | undefined;
  /** `EDE: 22 (No Reachable Authority)`. */
  extendedErrors: (HasLine & { code: number; text: string })[];
  question: (HasLine & { name: string; class: string; type: string }) | undefined;
  records: DnsRecord[];
  queryTimeMs: number | undefined;
  server: (HasLine & { address: string; port: number; transport: string | undefined }) | undefined;
  messageBytes: number | undefined;
  warnings: (HasLine & { text: string })[];
  /** The UDP answer was cut and asked for again over TCP. */
  retriedOverTcp: boolean;
  /** Answers whose ID did not fit were thrown away: someone answers, if wrongly. */
  idMismatch: boolean;
  /** `+short` lines: data without names. */
  short: (HasLine & { data: string })[];
  /** `answered` = a response with its closing lines; `failed` = no response; `unfinished` = the text ends before either. */
  outcome: 'answered' | 'failed' | 'unfinished' | 'short';
}

export interface DigOutput {
  runs: DigRun[];
  marks: ShellMark[];
  otherLines: number[];
}

/** One answer part of nslookup: the server asked and what it said. */
export interface NslookupRun extends HasLine {
  server: string | undefined;
  serverAddress: string | undefined;
  serverPort: number | undefined;
  /** One for each address, canonical name, reverse name or other record. */
  answers: (HasLine & { name: string; type: string; data: string })[];
}

/** nslookup of BIND 9 and of BusyBox, and `host` of BIND 9. */
export interface NslookupOutput {
  runs: NslookupRun[];
  /** Communications errors, `can't find x: NXDOMAIN`, in input order: before the Server line they belong to the run that follows. */
  failures: NslookupFailure[];
  warnings: (HasLine & { text: string })[];
  marks: ShellMark[];
  otherLines: number[];
}

export interface NslookupFailure extends ProbeFailure {
  /** NXDOMAIN, SERVFAIL, REFUSED, or `No answer` (NODATA), where the line names one. */
  status: string | undefined;
  /** The name that the line names. nslookup and host name the asked name with the first search domain in SERVFAIL and REFUSED. */
  asked: string | undefined;
}

/** Lines of `getent hosts|ahosts`. Exit status 2 without a line is NXDOMAIN, SERVFAIL or timeout alike. */
export interface GetentOutput {
  entries: (HasLine & { address: string; socketType: string | undefined; names: string[] })[];
  marks: ShellMark[];
}

/** A Corefile: CoreDNS' server blocks. */
export interface Corefile {
  servers: CorefileServer[];
  snippets: (HasLine & { name: string; plugins: CorefilePlugin[] })[];
  imports: (HasLine & { what: string })[];
  comments: number[];
  otherLines: number[];
}

export interface CorefileServer extends HasLine {
  /** Zones as written, without scheme and port: `.`, `cluster.local`. */
  zones: (HasLine & { zone: string; scheme: string; port: number | undefined })[];
  plugins: CorefilePlugin[];
}

export interface CorefilePlugin extends HasLine {
  name: string;
  args: string[];
  /** Lines of the plugin's own block. */
  body: CorefilePlugin[];
}

/** One line of CoreDNS' log. */
export interface CorednsLogEntry extends HasLine {
  level: 'INFO' | 'WARNING' | 'ERROR' | 'FATAL' | 'DEBUG' | 'PANIC' | undefined;
  /** `plugin/errors`, `plugin/loop`, …; undefined for lines of the server. */
  plugin: string | undefined;
  message: string;
  /** A query that failed: `[ERROR] plugin/errors: 2 name. TYPE: read udp a:p->b:53: i/o timeout`. */
  failed:
    | { rcode: number; name: string; type: string; from: string | undefined; upstream: string | undefined; failure: ProbeFailure }
    | undefined;
  /** A query of the log plugin. */
  query:
    | {
        client: string;
        port: number | undefined;
        id: number;
        type: string;
        name: string;
        protocol: string;
        size: number;
        rcode: string;
        flags: string;
        durationSeconds: number | undefined;
      }
    | undefined;
}
