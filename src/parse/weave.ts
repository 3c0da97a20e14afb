import type { WeaveOutput } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads `weave status` and `weave status connections` of Weave Net 1.3 to 2.8 (prog/weaver/http.go). An overlay `none` has no `mtu=`; a failed connection has its reason in place of
 * the peer. There is no end mark.
 */
export function parseWeave(text: string): Parsed<WeaveOutput> {
  const state: State = { status: [], connections: [], marks: [], otherLines: [], service: '' };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of weave status');
  const { service: _service, ...value } = state;
  return { value, unparsed, complete: unparsed.length === 0 && value.status.length + value.connections.length > 0 };
}

interface State extends WeaveOutput {
  /** The `Service:` that following lines belong to. */
  service: string;
}

const keys =
  'Version|Service|Protocol|Name|Encryption|PeerDiscovery|Targets|Connections|Peers|TrustedSubnets|Status|Consensus|Range|DefaultSubnet|Domain|Upstream|TTL|Entries|Address|Socket|Discovery';

const rules: readonly LineRule<State>[] = [
  [
    /^\s*(->|<-) (\S+):(\d+)\s+(established|pending|connecting|failed|retrying)(?:\s+(encrypted|unencrypted))?\s+(.*)$/,
    (state, [, arrow, address = '', port, status = '', encryption = '', rest = ''], { line }) => {
      const [, overlay = '', peer = '', more = ''] =
        /^(fastdp|sleeve|none|vxlan|undetermined)(?:\s+([0-9a-f:]{17}\([^)]*\)))?\s*(.*)$/.exec(rest) ?? [];
      const [, mtu] = /mtu=(\d+)/.exec(more) ?? [];
      const info = overlay === '' ? rest.trim() : more.trim();
      state.connections.push({
        line,
        direction: arrow === '->' ? 'out' : 'in',
        address: address.replace(/^\[|\]$/g, ''),
        port: Number(port),
        state: status,
        encrypted: encryption === 'encrypted' || /encrypted=true/.test(more),
        overlay,
        peer,
        mtu: mtu === undefined ? undefined : Number(mtu),
        info,
      });
    },
  ],
  [
    new RegExp(`^ *(${keys}): ?(.*?)\\s*$`),
    (state, [, key = '', value = ''], { line }) => {
      if (key === 'Service') state.service = value;
      state.status.push({ line, service: state.service, key, value });
    },
  ],
  ...shellMarkRules,
];
