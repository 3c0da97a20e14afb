import type { Reason } from '../../model/observed.ts';
import type { FailureCause } from '../../model/probe.ts';

export type Stage = 'name' | 'dns-server' | 'service' | 'endpoint' | 'payload' | 'node';
export interface Origin {
  kind: 'pod' | 'node';
  namespace: string | null;
  name: string;
}

/** One try of a probe. Lines are those of the entry. */
export interface Try {
  ok: boolean;
  /** Why it failed; `no-answer` = connected and nothing came back; DNS has its own words for answers that are no address. */
  cause: FailureCause | 'no-answer' | 'nxdomain' | 'servfail' | 'dns-refused' | 'no-address' | null;
  milliseconds: number | null;
  /** Lines that show the outcome. */
  lines: number[];
  /** The words of the tool. */
  text: string;
}

/** What one probe entry says. `unknown` when it was not, or could not be, made: never a failure of the network. */
export interface ProbeResult {
  id: string;
  stage: Stage;
  origin: Origin;
  /** Address and port, name, or DNS server. */
  target: string;
  command: string;
  tries: Try[];
  unknown: { reason: Reason; detail: string } | null;
  /** Only for `payload`. */
  payload?: Payload;
  /** Only for `name`: what was asked and what came, in order. */
  lookups?: Lookup[];
}

export interface Payload {
  device: string;
  mtu: number;
  small: boolean;
  /** Null when the large one was not tried. */
  full: boolean | null;
  /** Next-hop MTU and its reporter from an ICMP "fragmentation needed", where one came. */
  told: { mtu: number | undefined; from: string | undefined; line: number } | null;
  reassembled: number;
  /** What was measured where a full-size packet did not pass; null where none was lost, and in recordings that did not look. */
  narrow: Narrow | null;
}

/** Measured with "don't fragment"; lengths are of layer 3, in bytes. */
export interface Narrow {
  /** The longest packet that was answered, and the shortest one above it that was tried and was not. */
  largest: number;
  next: number | null;
  /** Lines that show both. */
  lines: number[];
  /**
   * The router that answered "time to live exceeded" to a full-size and to a small packet with a time to live of 2; null where none did. What gets there
   * is lost further on, or on the way back.
   */
  reach: { full: string | null; small: string | null; line: number } | null;
  /** What the sender's kernel keeps of the path (`cache expires … mtu 1400`). */
  cached: { mtu: number; line: number } | null;
}

export interface Lookup {
  name: string;
  server: string;
  status: string;
  addresses: string[];
  line: number;
}

/** What is known of a probe before its output is read. */
export type Base = Pick<ProbeResult, 'id' | 'stage' | 'origin' | 'target' | 'command'>;
