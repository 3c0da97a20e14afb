import type { CiliumOutput, CiliumService } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads, of Cilium 1.3 to 1.18, `cilium status [--verbose]` of the agent (also `cilium-dbg`; pkg/client/client.go), `cilium service list`, `cilium bpf lb list`, and `cilium monitor
 * [--type drop]` (pkg/monitor). Identical lines of the monitor are separate events. None of these has an end mark; complete = nothing was left unread.
 */
export function parseCilium(text: string): Parsed<CiliumOutput> {
  const state: State = { status: [], rows: [], services: [], events: [], marks: [], otherLines: [], mode: undefined, parents: [] };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of cilium');
  const { mode: _mode, parents: _parents, ...value } = state;
  const size = value.status.length + value.services.length + value.events.length;
  return { value, unparsed, complete: unparsed.length === 0 && size > 0 };
}

interface State extends CiliumOutput {
  /** What the table or list at hand is. */
  mode: 'services' | 'lb' | 'status' | undefined;
  /** Keys of the status lines above, by indent. */
  parents: { indent: number; key: string }[];
}

const statusKeys =
  'KVStore|Kubernetes|Kubernetes APIs|KubeProxyReplacement|KubeProxyReplacement Details|Host firewall|SRv6|CNI Chaining|CNI Config file|Cilium|NodeMonitor|Cilium health daemon|IPAM|Allocated addresses|ClusterMesh|BandwidthManager|IPv[46] BIG TCP|IPv[46] Fragment\\w*|Host Routing|Routing|Masquerading|Attach Mode|Device Mode|Clock Source for BPF|Controller Status|Proxy Status|Global Identity Range|Hubble|Encryption|Cluster health|BPF Maps|IPv4|IPv6|Container runtime|Modules Health|Clusters|Stale status|IPv6 BIG TCP|Name|Probes?|Auto-direct-node-routes|DNS proxy|Envoy DaemonSet|Operator|Hubble Relay|DaemonSet|Deployment|Cluster Pods|Containers';

const rules: readonly LineRule<State>[] = [
  [/^ID +Frontend +Service Type +Backend\b.*$/, (state, _groups, at) => enter(state, 'services', at)],
  [/^SERVICE ADDRESS +BACKEND ADDRESS\b.*$/, (state, _groups, at) => enter(state, 'lb', at)],
  [
    /^(?:Listening for events on |Press Ctrl-C to quit|level=info |Error: Unable to open channel)/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [/^(?:xx|!!|->|<-|\?\?|>>|==|Policy verdict log:|CPU \d+:)\s?.*$/, (state, [text = ''], at) => monitorEvent(state, text, at)],
  [
    /^(\d+) {2,}(\S+) {2,}(ClusterIP|NodePort|LoadBalancer|ExternalIPs|HostPort|LocalRedirect|ExternalName)\s*(.*)$/,
    (state, [, id, frontend = '', type = '', rest = ''], at) => service(state, Number(id), frontend, type, rest, at),
  ],
  [/^ {4,}(\d+ => .*)$/, (state, [, rest = ''], at) => backend(state, rest, at)],
  [
    /^(\S+:\d+(?:\/\w+)?(?:\/[ie])?(?: \(\d+\))?) {2,}(\S+:\d+\S*(?: \(\d+\))+.*|\S+:\d+(?:\/\w+)? \(\d+\).*)$/,
    (state, [, frontend = '', rest = ''], at) => lbEntry(state, frontend, rest, at),
  ],
  [/^ {6,}(\S+:\d+\S*(?: \(\d+\)).*)$/, (state, [, rest = ''], at) => lbEntry(state, '', rest, at)],
  [new RegExp(`^\\s?(${statusKeys}):(?:\\s+(.*?))?\\s*$`), (state, [, key = '', value = ''], at) => statusLine(state, 0, key, value, at)],
  [
    /^( {2,})(?:- )?([A-Za-z][\w /().-]*?):\s*(.*?)\s*$/,
    (state, [, indent = '', key = '', value = ''], at) => state.mode === 'status' && statusLine(state, indent.length, key, value, at),
  ],
  [/^ {2,}(\S.*)$/, (state, [, cells = ''], at) => statusRow(state, cells, at)],
  ...shellMarkRules,
];

function enter(state: State, mode: State['mode'], { line }: Line): undefined {
  Object.assign(state, { mode });
  state.otherLines.push(line);
  return undefined;
}

function statusLine(state: State, indent: number, key: string, value: string, { line }: Line): undefined {
  state.mode = 'status';
  state.parents = state.parents.filter((parent) => parent.indent < indent);
  const path = [...state.parents.map((parent) => parent.key), key].join(' / ');
  state.parents.push({ indent, key });
  state.status.push({ line, key: path, value });
  return undefined;
}

function statusRow(state: State, cells: string, { line }: Line): undefined | false {
  const below = state.parents[0]?.key;
  if (state.mode !== 'status' || below === undefined) return false;
  state.rows.push({
    line,
    below,
    cells: cells
      .split(/\s{2,}|\t/)
      .map((cell) => cell.trim())
      .filter(Boolean),
  });
  return undefined;
}

function service(state: State, id: number, frontend: string, type: string, rest: string, at: Line): undefined | false {
  if (state.mode !== 'services') return false;
  state.services.push({ line: at.line, id, frontend, type, backends: [], hasMaster: false });
  return rest === '' ? undefined : backend(state, rest, at);
}

/** `1 => 10.0.0.2:80/TCP (active)` */
function backend(state: State, text: string, { line }: Line): undefined | false {
  const [, address, status] = /^\d+ => (\S+:\d+(?:\/\w+)?)(?: \(([^)]+)\))?\s*$/.exec(text) ?? [];
  const last = state.services.at(-1);
  if (address === undefined || !last || state.mode !== 'services') return false;
  last.backends.push({ line, address, state: status });
  return undefined;
}

/** `10.96.0.1:443/TCP (1)   10.0.0.2:6443/TCP (1) (1)`; 0.0.0.0:0 is the master entry and stands anywhere in its group. */
function lbEntry(state: State, frontendText: string, rest: string, { line }: Line): undefined | false {
  if (state.mode !== 'lb') return false;
  const [, address = '', flags = ''] = /^(\S+:\d+\S*)(?: \(\d+\))*(?: \[(.*?)\])?/.exec(rest) ?? [];
  const frontend = frontendText.replace(/ \(\d+\)$/, '');
  const known = frontend === '' ? state.services.at(-1) : state.services.find((candidate) => candidate.frontend === frontend);
  if (!known && frontend === '') return false;
  const found: CiliumService = known ?? { line, id: undefined, frontend, type: '', backends: [], hasMaster: false };
  if (!known) state.services.push(found);
  const isMaster = /^(?:0\.0\.0\.0|\[?::\]?):0\b/.test(address);
  if (isMaster) Object.assign(found, { hasMaster: true, type: flags });
  else found.backends.push({ line, address, state: undefined });
  if (isMaster && known) state.otherLines.push(line);
  return undefined;
}

function monitorEvent(state: State, text: string, { line }: Line): undefined {
  const [, reason] = /^xx drop \(((?:[^()]|\([^()]*\))*)\)/.exec(text) ?? [];
  const [, source, destination] = /(?::|,) (\S+) -> (\S+?),? ?(?:tcp|udp|icmp|ICMP|TCP|UDP|SCTP|sctp|EchoRe|Dest|$)/i.exec(text) ?? [];
  const kind =
    reason === undefined ? (text.startsWith('Policy verdict') ? 'policy-verdict' : /^(?:->|<-|>>)/.test(text) ? 'trace' : 'other') : 'drop';
  state.events.push({ line, kind, reason, source, destination, text });
  return undefined;
}
