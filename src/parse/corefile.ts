import type { Corefile, CorefilePlugin, CorefileServer } from '../model/dns.ts';
import type { Parsed, UnparsedLine } from '../model/parsed.ts';
import { type Line, linesOf } from './line-rules.ts';

/**
 * Reads a Corefile of CoreDNS 1.2 to 1.13 (coredns.io/manual/configuration, caddyfile lexer): server blocks, snippets `(name) { … }`, `import`, plugins with
 * arguments and blocks, quoted arguments, comments. As pasted from a ConfigMap it may be indented; then the YAML around it is unparsed, not read.
 * Complete when every brace is closed and no line was left.
 */
export function parseCorefile(text: string): Parsed<Corefile> {
  const value: Corefile = { servers: [], snippets: [], imports: [], comments: [], otherLines: [] };
  const state: State = { value, unparsed: [], depth: [] };
  for (const line of linesOf(text)) takeLine(state, line);
  for (const open of state.depth) state.unparsed.push({ line: open.line, text: open.text, why: 'this block is never closed' });
  for (const server of value.servers) {
    const isServer = server.plugins.length === 0 || server.plugins.some(({ name }) => knownPlugins.has(name));
    if (!isServer)
      state.unparsed.push({
        line: server.line,
        text: server.zones.map(({ zone }) => zone).join(' '),
        why: 'no plugin of CoreDNS in this block',
      });
  }
  const complete = state.unparsed.length === 0 && value.servers.length > 0;
  return { value, unparsed: state.unparsed.toSorted((a, b) => a.line - b.line), complete };
}

/** Zones that a plugin such as kubernetes serves: its own arguments, else those of its server block. */
export function zonesServedBy(server: CorefileServer, plugin: CorefilePlugin): string[] {
  return plugin.args.length > 0 ? plugin.args : server.zones.map(({ zone }) => zone);
}

/** plugin.cfg of CoreDNS 1.13, and those that were there before. A block may have others, but a block with none of these is no CoreDNS server. */
const knownPlugins = new Set(
  'root metadata geoip cancel tls quic grpc_server timeouts multisocket reload nsid bufsize bind debug trace ready health pprof prometheus errors log dnstap local dns64 acl any chaos loadbalance tsig cache rewrite header dnssec autopath minimal template transfer hosts route53 azure clouddns k8s_external kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad proxy upstream import federation'.split(
    ' ',
  ),
);

interface State {
  value: Corefile;
  unparsed: UnparsedLine[];
  /** Open blocks, outermost first: where the plugins of each go. */
  depth: { line: number; text: string; into: CorefilePlugin[] }[];
}

function takeLine(state: State, at: Line): void {
  const text = at.text.trim();
  if (text === '') return;
  if (text.startsWith('#')) state.value.comments.push(at.line);
  else if (text === '}') closeBlock(state, at);
  else {
    const tokens = tokensOf(text);
    const taken = tokens !== undefined && takeTokens(state, at, tokens);
    if (!taken) state.unparsed.push({ line: at.line, text: at.text, why: 'no line of a Corefile' });
  }
}

function closeBlock(state: State, at: Line): void {
  if (state.depth.pop()) state.value.otherLines.push(at.line);
  else state.unparsed.push({ line: at.line, text: at.text, why: 'no block is open' });
}

/** Words, with "quoted" and `raw` ones as one; a comment ends the line. Undefined = a quote is not closed, or braces stand in the middle. */
function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|(#.*)|(\S+))/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match || match[3] !== undefined) break;
    if (match[4]?.startsWith('"')) return undefined;
    tokens.push(match[1] ?? match[2] ?? match[4] ?? '');
  }
  return tokens;
}

function takeTokens(state: State, at: Line, tokens: string[]): boolean {
  const opens = tokens.at(-1) === '{';
  const isWhole = opens && tokens.length === 1;
  const words = opens ? tokens.slice(0, -1) : tokens.at(-1) === '{}' ? tokens.slice(0, -1) : tokens;
  const block = state.depth.at(-1);
  if (isWhole || words.some((word) => word === '{' || word === '}')) return false;
  if (block) return takePlugin(state, at, block.into, words, opens);
  return takeTop(state, at, words, opens);
}

function takePlugin(state: State, at: Line, into: CorefilePlugin[], [name = '', ...args]: string[], opens: boolean): boolean {
  // Every plugin's and property's name is a word; a value (regular expressions of rewrite, hosts entries) stands deeper.
  if (state.depth.length === 1 && !/^[a-z][\w-]*$/i.test(name)) return false;
  const plugin: CorefilePlugin = { line: at.line, name, args, body: [] };
  into.push(plugin);
  if (opens) state.depth.push({ line: at.line, text: at.text, into: plugin.body });
  return true;
}

function takeTop(state: State, at: Line, words: string[], opens: boolean): boolean {
  const [first = ''] = words;
  const [, snippet] = /^\(([\w-]+)\)$/.exec(first) ?? [];
  if (first === 'import' && !opens) state.value.imports.push({ line: at.line, what: words.slice(1).join(' ') });
  else if (!opens) return false;
  else if (snippet !== undefined) {
    const plugins: CorefilePlugin[] = [];
    state.value.snippets.push({ line: at.line, name: snippet, plugins });
    state.depth.push({ line: at.line, text: at.text, into: plugins });
  } else return takeServer(state, at, words);
  return true;
}

function takeServer(state: State, at: Line, words: string[]): boolean {
  const keys = words.flatMap((word) => word.split(',')).filter(Boolean);
  const zones = keys.map((key) => zoneOf(key, at.line));
  if (zones.some((zone) => zone === undefined)) return false;
  const server: CorefileServer = { line: at.line, zones: zones.filter((zone) => zone !== undefined), plugins: [] };
  state.value.servers.push(server);
  state.depth.push({ line: at.line, text: at.text, into: server.plugins });
  return true;
}

/** `.`, `.:53`, `cluster.local`, `dns://.:1053`, `10.0.0.0/24`, `{$ENV}`. */
function zoneOf(key: string, line: number): CorefileServer['zones'][number] | undefined {
  const [, scheme = 'dns', zone, port] = /^(?:([a-z]+):\/\/)?((?:[\w*./-]|\{[%$]?\w+%?\})+?)?(?::(\d+|\{[%$]?\w+%?\}))?$/i.exec(key) ?? [];
  if (zone === undefined && port === undefined) return undefined;
  return { line, zone: zone ?? '.', scheme, port: port !== undefined && /^\d+$/.test(port) ? Number(port) : undefined };
}
