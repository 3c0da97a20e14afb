import type { SandboxEvent, SandboxFailure } from '../model/cluster-config.ts';
import type { Parsed } from '../model/parsed.ts';
import type { ShellMark } from '../model/probe.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads the events of `kubectl describe pod|node`, of `kubectl get events [-A] [-o wide]`, and node condition and kubelet log lines about the pod network. The messages are
 * kubelet's and containerd's or CRI-O's around that of the CNI plugin (containernetworking plugins 0.8 to 1.9, AWS VPC CNI, Calico, Cilium, flannel).
 */
export function parseSandboxEvents(text: string): Parsed<{ events: SandboxEvent[]; otherLines: number[] }> {
  const state: State = { events: [], otherLines: [], marks: [] };
  const unparsed = applyRules(linesOf(text), state, rules, 'no event');
  const { events, otherLines, marks } = state;
  return {
    value: { events, otherLines: [...otherLines, ...marks.map(({ line }) => line)] },
    unparsed,
    complete: unparsed.length === 0 && events.length > 0,
  };
}

/** What a message says about the pod network; undefined = nothing. */
export function sandboxFailureOf(message: string): { failure: SandboxFailure; detail: string | undefined } | undefined {
  for (const [pattern, failure] of meanings) {
    const match = pattern.exec(message);
    if (match) return { failure, detail: match.slice(1).find((group) => group !== undefined) };
  }
  return undefined;
}

interface State {
  events: SandboxEvent[];
  otherLines: number[];
  marks: ShellMark[];
}

const meanings: readonly (readonly [RegExp, SandboxFailure])[] = [
  [
    /no IP addresses available in range set: (\S+)|failed to assign an IP address to container|No more IPs available|insufficient (?:free )?(?:IP|addresses)|range is full|IPAM.*exhausted|no available IPs?/i,
    'no-addresses-left',
  ],
  [/failed to find plugin "([^"]+)"/, 'plugin-missing'],
  [/open (\/run\/flannel\/subnet\.env): no such file/, 'subnet-file-missing'],
  [/stat (\/var\/lib\/calico\/nodename): no such file/, 'agent-unreachable'],
  [/dial unix (\/\S+?): connect/, 'agent-unreachable'],
  [/dial tcp (127\.0\.0\.1:\d+): connect|unable to connect to (?:the )?Cilium/i, 'agent-unreachable'],
  [/connection is unauthorized|error getting ClusterInformation: .*[Uu]nauthorized|Unauthorized/, 'api-unauthorized'],
  [
    /cni plugin not initialized|cni config uninitialized|NetworkPluginNotReady|network is not ready|NetworkReady=false|No networks found in (\S+)|no valid networks found/i,
    'network-not-ready',
  ],
  [/dial tcp (\S+?): (?:i\/o timeout|connect: )/, 'api-unreachable'],
  [/(?:IP address|requested IP) .*already (?:in use|allocated|assigned)|address .* already in use/i, 'address-in-use'],
  [/container veth name provided \((\S+)\) already exists|interface (\S+) already exists|file exists/, 'interface-exists'],
  [/Pod sandbox changed, it will be killed and re-created/, 'sandbox-changed'],
  [/failed to set ?up (?:sandbox container|network for sandbox|pod)|Failed (?:to )?create pod sandbox|networkPlugin cni failed/i, 'other'],
];

const age = String.raw`(?:<unknown>|<invalid>|(?:\d+[ywdhms])+)(?: \(x\d+ over (?:<unknown>|<invalid>|(?:\d+[ywdhms])+)\))?`;

const rules: readonly LineRule<State>[] = [
  [
    /^\s*Events:\s*(?:<none>)?$|^\s*Type\s+Reason\s+Age\s+From\s+Message\s*$|^[\s-]+$|^(?:NAMESPACE\s+)?LAST SEEN\s|^Conditions:|^\s*Type\s+Status\s+LastHeartbeatTime/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  // kubectl describe: "  Warning  FailedCreatePodSandBox  11s (x8 over 100s)  kubelet, node  message"
  [
    new RegExp(`^\\s+(Normal|Warning)\\s+(\\S+)\\s+(${age})\\s{1,}(\\S+(?:, \\S+)?)\\s{2,}(\\S.*)$`),
    (state, [, type = '', reason = '', seen = '', from = '', message = ''], { line }) =>
      push(state, { line, type, reason, age: seen, from, message }),
  ],
  // kubectl get events: "[namespace ]11s  Warning  FailedCreatePodSandBox  pod/x  [subobject  source  ]message"
  [
    new RegExp(`^(?:\\S+\\s+)?(${age})\\s+(Normal|Warning)\\s+(\\S+)\\s+(\\S+)\\s{2,}(\\S.*)$`),
    (state, [, seen = '', type = '', reason = '', from = '', message = ''], { line }) =>
      push(state, { line, type, reason, age: seen, from, message }),
  ],
  [
    /^\s*Ready\s+(True|False|Unknown)\s+.*?\s(Kubelet\w+|NodeStatus\w+)\s+(\S.*)$/,
    (state, [, type = '', reason = '', message = ''], { line }) =>
      push(state, { line, type: `Ready ${type}`, reason, age: undefined, from: undefined, message }),
  ],
  // A line of kubelet's or containerd's log, or a message alone: only where it speaks of the pod network.
  [
    /^.+$/,
    (state, [message = ''], { line }) =>
      sandboxFailureOf(message) !== undefined &&
      push(state, { line, type: undefined, reason: undefined, age: undefined, from: undefined, message }),
  ],
  ...shellMarkRules,
];

function push(state: State, event: Omit<SandboxEvent, 'failure' | 'count' | 'detail'>): undefined {
  const [, times] = /\(x(\d+) over/.exec(event.age ?? '') ?? [];
  const found = sandboxFailureOf(event.message);
  state.events.push({ ...event, failure: found?.failure, detail: found?.detail, count: times === undefined ? undefined : Number(times) });
  return undefined;
}
