import type { HasLine } from './parsed.ts';
import type { ShellMark } from './probe.ts';

/** A BGP session as `calicoctl node status` or BIRD tells it. */
export interface BgpPeer extends HasLine {
  family: 4 | 6 | undefined;
  /** calicoctl: the peer's address; BIRD: the protocol's name (`Mesh_10_0_0_2`, `Node_10_161_1_1`). */
  peer: string;
  type: string;
  /** `up`, `start`, `down`, `wait`, … */
  state: string;
  since: string;
  /** `Established`, `Active Socket: Connection refused`, `Idle`, `Connect`, `Passive`, … */
  info: string;
  established: boolean;
}

export interface CalicoNodeStatus {
  /** `Calico process is running.` */
  processRunning: (HasLine & { running: boolean }) | undefined;
  peers: BgpPeer[];
  /** `No IPv4 peers found.`, `None of the BIRD sockets responded`, with the family they speak of. */
  notes: (HasLine & { text: string })[];
  marks: ShellMark[];
  otherLines: number[];
}

/** `birdc show protocols` and `show route`, also as raw control socket text. */
export interface BirdOutput {
  version: (HasLine & { version: string }) | undefined;
  protocols: (HasLine & {
    name: string;
    protocol: string;
    table: string;
    state: string;
    since: string;
    info: string;
    established: boolean;
  })[];
  routes: (HasLine & {
    prefix: string;
    via: string | undefined;
    device: string | undefined;
    protocol: string;
    isBest: boolean;
    type: string | undefined;
  })[];
  /** The end mark `0000` of the raw protocol was there. */
  ended: boolean;
  marks: ShellMark[];
  otherLines: number[];
}

export interface CiliumBackend extends HasLine {
  address: string;
  state: string | undefined;
}

export interface CiliumService extends HasLine {
  /** `10.96.0.1:443`, with protocol where shown. */
  frontend: string;
  id: number | undefined;
  /** `ClusterIP`, `NodePort`, …; from `bpf lb list` the flags. */
  type: string;
  backends: CiliumBackend[];
  /** The master entry `0.0.0.0:0 (0)` of `bpf lb list` was there; it is no backend. */
  hasMaster: boolean;
}

/** `xx drop (Policy denied) flow 0x… …: 10.0.0.1:1 -> 10.0.0.2:2 tcp SYN` and the other events of `cilium monitor`. */
export interface CiliumMonitorEvent extends HasLine {
  kind: 'drop' | 'trace' | 'policy-verdict' | 'other';
  reason: string | undefined;
  source: string | undefined;
  destination: string | undefined;
  text: string;
}

export interface CiliumOutput {
  /** `KVStore: Ok Disabled`: each `Key: value` line of `cilium status`, nested ones with their parents' keys before, joined by ` / `. */
  status: (HasLine & { key: string; value: string })[];
  /** Controllers that failed, nodes of the health table, endpoints: rows below a status heading, as they stand. */
  rows: (HasLine & { below: string; cells: string[] })[];
  services: CiliumService[];
  events: CiliumMonitorEvent[];
  marks: ShellMark[];
  otherLines: number[];
}

/** A flow of `hubble observe`, from `-o json`, `-o jsonpb` or the compact text. */
export interface HubbleFlow extends HasLine {
  time: string | undefined;
  verdict: string;
  /** Why it was dropped, where it was. */
  dropReason: string | undefined;
  source: HubbleEnd;
  destination: HubbleEnd;
  /** Undefined = not known (`<>`). */
  direction: 'forward' | 'reply' | undefined;
  protocol: string | undefined;
  type: string | undefined;
  node: string | undefined;
  summary: string;
}

export interface HubbleEnd {
  address: string | undefined;
  port: number | undefined;
  /** `namespace/pod` */
  pod: string | undefined;
  identity: string | undefined;
}

export interface HubbleOutput {
  flows: HubbleFlow[];
  /** `EVENTS LOST: …` and `node_status` events: flows are missing. */
  lost: (HasLine & { text: string })[];
  marks: ShellMark[];
  otherLines: number[];
}

/** An OpenFlow flow of `ovs-ofctl dump-flows` or `antctl get ovsflows`. */
export interface OpenFlow extends HasLine {
  /** A number, or a name with --names and in newer antctl. */
  table: string;
  cookie: string | undefined;
  priority: number | undefined;
  packets: number | undefined;
  bytes: number | undefined;
  durationSeconds: number | undefined;
  /** Match fields; a word alone (`ip`, `tcp`, `arp`) has an empty value. */
  match: Record<string, string>;
  actions: string;
}

export interface OpenFlowOutput {
  flows: OpenFlow[];
  marks: ShellMark[];
  otherLines: number[];
}

/** Tables that `antctl get …` prints, by column, and its flows and traceflow results. */
export interface AntctlOutput {
  rows: (HasLine & { cells: Record<string, string> })[];
  flows: OpenFlow[];
  /** Scalars of YAML answers (traceflow, agentinfo -o yaml). */
  settings: (HasLine & { path: string; value: string | number | boolean | null })[];
  marks: ShellMark[];
  otherLines: number[];
}

export interface WeaveOutput {
  /** `Connections: 3 (2 established, 1 pending)` and the like, by service. */
  status: (HasLine & { service: string; key: string; value: string })[];
  connections: (HasLine & {
    direction: 'in' | 'out';
    address: string;
    port: number;
    state: string;
    encrypted: boolean;
    overlay: string;
    peer: string;
    mtu: number | undefined;
    info: string;
  })[];
  marks: ShellMark[];
  otherLines: number[];
}
