import type { BgpPeer, CalicoNodeStatus } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads `calicoctl node status` of calicoctl 0.22 to 3.30 (calicoctl/commands/node/status.go, tables of olekukonko/tablewriter): a long INFO cell goes on in
 * a row whose other cells are empty. A missing IPv6 part is no fault. Complete when the process line and a part for each family, or the last table's end, are there.
 */
export function parseCalicoctl(text: string): Parsed<CalicoNodeStatus> {
  const state: State = { processRunning: undefined, peers: [], notes: [], marks: [], otherLines: [], family: undefined, rulers: 0 };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of calicoctl node status');
  const { family: _family, rulers, ...value } = state;
  const complete =
    unparsed.length === 0 && value.processRunning !== undefined && (value.peers.length > 0 || value.notes.length > 0) && rulers % 3 === 0;
  return { value, unparsed, complete };
}

interface State extends CalicoNodeStatus {
  family: 4 | 6 | undefined;
  /** Each table has three: above and below the heading, and at its end. */
  rulers: number;
}

const rules: readonly LineRule<State>[] = [
  [
    /^(?:Calico process|calico-node container) is (not )?running\b.*$/,
    (state, [, not = ''], { line }) => Object.assign(state, { processRunning: { line, running: not === '' } }),
  ],
  [/^IPv([46]) BGP status$/, (state, [, family], at) => note(Object.assign(state, { family: family === '6' ? 6 : 4 }), at)],
  [/^\+(?:-+\+)+$/, (state, _groups, at) => note(Object.assign(state, { rulers: state.rulers + 1 }), at)],
  [/^\|\s*PEER ADDRESS\s*\|\s*PEER TYPE\s*\|\s*STATE\s*\|\s*SINCE\s*\|\s*INFO\s*\|$/i, (state, _groups, at) => note(state, at)],
  [
    /^\|(.*)\|\s*$/,
    (state, [, cells = ''], at) =>
      row(
        state,
        cells.split('|').map((cell) => cell.trim()),
        at,
      ),
  ],
  [
    /^(?:No IPv[46] (?:peers found|address configured)\.|None of the BIRD (?:backend )?(?:processes|sockets).*|The BGP backend process.*|INFO: .*|IP: \S+ +AS Number: .*|Running felix version .*|BGP not enabled.*|.*BIRD.*)$/,
    (state, [text = ''], { line }) => state.notes.push({ line, text }),
  ],
  [/^(?:sudo )?(?:\.\/)?calicoctl node status$/, (state, _groups, at) => note(state, at)],
  ...shellMarkRules,
];

function row(state: State, cells: string[], { line }: Line): undefined | false {
  const [peer = '', type = '', status = '', since = '', info = ''] = cells;
  const last = state.peers.at(-1);
  if (cells.length !== 5) return false;
  if (peer === '' && last && info !== '') {
    last.info = `${last.info} ${info}`.trim();
    return note(state, { line, text: '' });
  }
  if (peer === '') return false;
  const found: BgpPeer = {
    line,
    family: state.family,
    peer,
    type,
    state: status,
    since,
    info,
    established: /^Established\b/.test(info) && status === 'up',
  };
  state.peers.push(found);
  return undefined;
}

function note(state: State, { line }: Line): undefined {
  state.otherLines.push(line);
  return undefined;
}
