import type { HasLine } from './parsed.ts';

/**
 * Why a probe failed, as far as the tool's words tell. `admin-prohibited` = a filter answered (ICMP 3/9, 3/10, 3/13, ICMPv6 1/1, or the
 * own host's netfilter); `name` = the name was not resolved; `other` = the words name none of these.
 */
export const failureCauses = [
  'refused',
  'timeout',
  'host-unreachable',
  'net-unreachable',
  'reset',
  'tls',
  'name',
  'admin-prohibited',
  'message-too-long',
  'empty-reply',
  'other',
] as const;
export type FailureCause = (typeof failureCauses)[number];

/** One failure that a tool reported. */
export interface ProbeFailure extends HasLine {
  cause: FailureCause;
  /**
   * Every cause that these words can stand for, `cause` among them. More than one where the tool or the kernel merges causes: EHOSTUNREACH
   * ("No route to host") is both ICMP host unreachable and administratively prohibited; curl's "Couldn't connect to server" is anything.
   */
  couldBe: FailureCause[];
  /** The tool's words, unchanged. */
  text: string;
  /** Address that was tried, where the line names one. */
  address: string | undefined;
  port: number | undefined;
  /** Name that was tried, where the line names one. */
  name: string | undefined;
}

/** A line that is not the tool's: what a shell or kubectl wrote around it. */
export interface ShellMark extends HasLine {
  kind: 'exit' | 'prompt' | 'label' | 'kubectl';
  /** Exit status, for `exit`. */
  code: number | undefined;
  text: string;
}

/** `*   Trying 10.96.0.1:443...` and what came of it. */
export interface CurlAttempt extends HasLine {
  address: string;
  /** Undefined where this version of curl does not print it on the line. */
  port: number | undefined;
  result: 'connected' | 'failed' | 'unknown';
  failure: ProbeFailure | undefined;
}

/** `curl: (7) …` */
export interface CurlError extends ProbeFailure {
  /** curl's exit code. */
  code: number;
  /** Connect time that the message names, in ms. */
  afterMs: number | undefined;
}

/** A line written by `-w`: the HTTP status (0 = no answer) and the key=value pairs behind it. */
export interface CurlWriteOut extends HasLine {
  status: number;
  values: Record<string, string>;
  failure: ProbeFailure | undefined;
}

/** All that was said by one or several runs of curl, each list in input order. */
export interface CurlOutput {
  attempts: CurlAttempt[];
  errors: CurlError[];
  /** `< HTTP/1.1 200 OK`, or the same without `<` with -i. */
  responses: (HasLine & { status: number; version: string; reason: string })[];
  /** Header lines, of requests (`>`) and responses (`<`). */
  headers: (HasLine & { direction: 'request' | 'response'; text: string })[];
  writeOuts: CurlWriteOut[];
  /** Other `*` lines. */
  info: (HasLine & { text: string })[];
  /** Lines that are not curl's own: the body, where both streams were merged. */
  body: (HasLine & { text: string })[];
  marks: ShellMark[];
  /** Lines without a fact of their own: progress meter, data markers. */
  otherLines: number[];
}

/** All that one or several runs of wget said. */
export interface WgetOutput {
  attempts: (HasLine & {
    address: string | undefined;
    name: string | undefined;
    port: number;
    result: 'open' | 'failed' | 'unknown';
    failure: ProbeFailure | undefined;
  })[];
  errors: ProbeFailure[];
  responses: (HasLine & { status: number; reason: string })[];
  body: (HasLine & { text: string })[];
  saved: (HasLine & { text: string })[];
  marks: ShellMark[];
  otherLines: number[];
}

/** One try of nc, ncat or /dev/tcp. */
export interface ConnectAttempt extends HasLine {
  address: string | undefined;
  name: string | undefined;
  port: number | undefined;
  result: 'open' | 'failed';
  failure: ProbeFailure | undefined;
}

export interface ConnectOutput {
  attempts: ConnectAttempt[];
  marks: ShellMark[];
  otherLines: number[];
}

export interface PingReply extends HasLine {
  from: string;
  seq: number;
  ttl: number | undefined;
  timeMs: number | undefined;
  duplicate: boolean;
}

export interface PingError extends ProbeFailure {
  /** Who sent the ICMP error; undefined = the own host said so. */
  from: string | undefined;
  seq: number | undefined;
  /** Next-hop MTU that the message names. */
  mtu: number | undefined;
}

export interface PingStatistics extends HasLine {
  transmitted: number;
  received: number;
  duplicates: number;
  errors: number;
  lossPercent: number | undefined;
  /** Minimum, average and maximum round trip in ms. */
  rtt: (HasLine & { min: number; avg: number; max: number }) | undefined;
}

/** One run of ping. `statistics` is undefined where the closing lines are missing (killed, cut). */
export interface PingRun extends HasLine {
  /** Undefined where the run failed before its first line. */
  target: string | undefined;
  address: string | undefined;
  payloadBytes: number | undefined;
  replies: PingReply[];
  errors: PingError[];
  statistics: PingStatistics | undefined;
}

export interface PingOutput {
  runs: PingRun[];
  marks: ShellMark[];
  otherLines: number[];
}

/** One run of arping. The closing counts are undefined where their lines are missing. */
export interface ArpingRun extends HasLine {
  /** Undefined where the run failed before its first line. */
  target: string | undefined;
  source: string | undefined;
  device: string | undefined;
  replies: (HasLine & { from: string; mac: string; timeMs: number | undefined })[];
  errors: ProbeFailure[];
  sent: number | undefined;
  received: number | undefined;
}

export interface ArpingOutput {
  runs: ArpingRun[];
  marks: ShellMark[];
  otherLines: number[];
}

export interface PathHop extends HasLine {
  hop: number;
  /** Undefined for `no reply` and `*`. */
  address: string | undefined;
  name: string | undefined;
  timesMs: number[];
  /** `reached`, `asymm 3`, `!H`, `!N`, `!X`, `!F-1450` and the like. */
  notes: string[];
  /** Path MTU that the line names. */
  mtu: number | undefined;
  failure: ProbeFailure | undefined;
}

/** One run of tracepath, traceroute or mtr. */
export interface PathRun extends HasLine {
  target: string | undefined;
  address: string | undefined;
  hops: PathHop[];
  /** Smallest path MTU that was told (tracepath's Resume line, traceroute --mtu). */
  mtu: number | undefined;
  reached: boolean;
  /** Lines that close the run; undefined = cut or killed (traceroute has none). */
  end: HasLine | undefined;
  errors: ProbeFailure[];
}

export interface PathOutput {
  runs: PathRun[];
  marks: ShellMark[];
  otherLines: number[];
}

/** One run of `openssl s_client`. */
export interface TlsRun extends HasLine {
  connected: boolean;
  protocol: string | undefined;
  cipher: string | undefined;
  /** `s:` lines of the chain, and the subject of `-brief`. */
  subjects: (HasLine & { text: string })[];
  issuers: (HasLine & { text: string })[];
  /** `verify error:num=18:…` and `Verification error: …`. */
  verifyErrors: (HasLine & { code: number | undefined; text: string })[];
  /** `Verify return code: N`. 0 is also printed when no certificate came at all. */
  verifyReturnCode: number | undefined;
  noPeerCertificate: boolean;
  failures: ProbeFailure[];
  notAfter: string | undefined;
}

export interface TlsOutput {
  runs: TlsRun[];
  marks: ShellMark[];
  otherLines: number[];
}
