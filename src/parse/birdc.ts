import type { BirdOutput } from '../model/cni-tools.ts';
import type { Parsed } from '../model/parsed.ts';
import { applyRules, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';

/**
 * Reads `birdcl show protocols` and `show route` of BIRD 1.5 to 1.6 (Calico's) and 2.x, also with the reply codes of the raw control socket (`2002-`, `1002-`, `0000`:
 * doc/reply_codes of BIRD). An answer may be read in pieces: raw text without `0000` is not complete.
 */
export function parseBirdc(text: string): Parsed<BirdOutput> {
  const state: State = { version: undefined, protocols: [], routes: [], ended: false, marks: [], otherLines: [], isRaw: false, prefix: '' };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of birdc');
  const { isRaw, prefix: _prefix, ...value } = state;
  const complete = unparsed.length === 0 && value.protocols.length + value.routes.length > 0 && (!isRaw || value.ended);
  return { value, unparsed, complete };
}

interface State extends BirdOutput {
  isRaw: boolean;
  prefix: string;
}

const code = String.raw`^(?:\d{4}[- ]| )?`;

const rules: readonly LineRule<State>[] = [
  [
    /^(?:0001 )?BIRD (\S+) ready\.$/,
    (state, [, version = ''], at) =>
      state.version
        ? state.otherLines.push(at.line)
        : Object.assign(state, { version: { line: at.line, version }, isRaw: at.text.startsWith('0001') }),
  ],
  [/^0000 ?$/, (state, _groups, at) => state.otherLines.push(at.line) > 0 && Object.assign(state, { ended: true, isRaw: true })],
  [/^bird> ?|^(?:show|restrict|disable|enable)\b/, (state, _groups, at) => state.otherLines.push(at.line)],
  [
    new RegExp(`${code}[Nn]ame +[Pp]roto +[Tt]able +[Ss]tate +[Ss]ince +[Ii]nfo\\s*$`),
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  [
    new RegExp(
      `${code}([\\w.:-]+) +([A-Z]\\w*) +(\\S+) +(up|down|start|stop|flush|feed|wait|alone|\\.\\.\\.) +((?:\\d{4}-\\d\\d-\\d\\d )?[\\d:.]+|\\d{4}-\\d\\d-\\d\\d)(?: +(.*?))?\\s*$`,
    ),
    (state, [, name = '', protocol = '', table = '', status = '', since = '', info = ''], { line }) =>
      state.protocols.push({
        line,
        name,
        protocol,
        table,
        state: status,
        since,
        info,
        established: status === 'up' && /^Established/.test(info),
      }),
  ],
  [/^(?:\d{4}[- ])?Table \S+:$/, (state, _groups, at) => state.otherLines.push(at.line)],
  // BIRD 1: "10.244.1.0/24 via 10.0.0.2 on eth0 [Mesh_… 12:00:00 from 10.0.0.2] * (100/0) [i]"
  [
    new RegExp(
      `${code}([0-9a-f.:]+/\\d+)?\\s+(?:(unreachable|blackhole|prohibit|dev)|via (\\S+) on (\\S+))? ?(\\S*) ?(?:onlink )?\\[(\\S+) [^\\]]*\\](?: (\\*))?(?: [(!].*)?$`,
    ),
    (state, [, prefix = '', type = '', via = '', device = '', dev = '', protocol = '', best = ''], { line }) => {
      if (prefix === '' && state.prefix === '') return false;
      state.prefix = prefix || state.prefix;
      state.routes.push({
        line,
        prefix: state.prefix,
        via: via || undefined,
        device: device || (type === 'dev' ? dev : '') || undefined,
        protocol,
        isBest: best === '*',
        type: type && type !== 'dev' ? type : undefined,
      });
      return undefined;
    },
  ],
  // BIRD 2: "10.244.1.0/24  unicast [bgp1 12:00:00.000] * (100) [AS64512i]", then "\tvia 10.0.0.2 on eth0"
  [
    new RegExp(`${code}([0-9a-f.:]+/\\d+)?\\s+(unicast|blackhole|unreachable|prohibited?) \\[(\\S+) [^\\]]*\\](?: (\\*|!))?.*$`),
    (state, [, prefix = '', type = '', protocol = '', best = ''], { line }) => {
      if (prefix === '' && state.prefix === '') return false;
      state.prefix = prefix || state.prefix;
      state.routes.push({
        line,
        prefix: state.prefix,
        via: undefined,
        device: undefined,
        protocol,
        isBest: best === '*',
        type: type === 'unicast' ? undefined : type,
      });
      return undefined;
    },
  ],
  [
    /^\s+(?:via (\S+) on (\S+)|dev (\S+))(?: (?:onlink|weight \d+|mpls .*))*\s*$/,
    (state, [, via = '', device = '', dev = ''], at) => {
      const route = state.routes.at(-1);
      if (!route) return false;
      Object.assign(route, { via: via || route.via, device: device || dev || route.device });
      return state.otherLines.push(at.line);
    },
  ],
  [
    /^(?:\d{4} )?(?:Access restricted|Unable to connect to server control socket.*|syntax error.*|Network not found)$/,
    (state, _groups, at) => state.otherLines.push(at.line),
  ],
  ...shellMarkRules,
];
