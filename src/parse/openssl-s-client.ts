import type { Parsed } from '../model/parsed.ts';
import type { TlsOutput, TlsRun } from '../model/probe.ts';
import { failureOfWords } from './failure-words.ts';
import { applyRules, type Line, type LineRule, linesOf } from './line-rules.ts';
import { shellMarkRules } from './shell-mark.ts';
import { endsInLine } from './text-lines.ts';

/**
 * Reads `openssl s_client`, with and without -brief, of OpenSSL 1.1.1 to 3.5 (apps/s_client.c). CONNECTED is the TCP connect only; `Verify return code: 0` is
 * also printed when no certificate came. Where several runs are joined, error lines (standard error, unbuffered) stand before the run they belong to, so
 * which run is theirs is not always told: each opens or joins the run at hand.
 */
export function parseOpensslSClient(text: string): Parsed<TlsOutput> {
  const state: State = { runs: [], marks: [], otherLines: [], current: undefined, inPem: false };
  const unparsed = applyRules(linesOf(text), state, rules, 'no line of openssl s_client');
  const { runs, marks, otherLines } = state;
  const complete = endsInLine(text) && unparsed.length === 0 && runs.length > 0 && !state.inPem;
  return { value: { runs, marks, otherLines }, unparsed, complete };
}

interface State extends TlsOutput {
  current: TlsRun | undefined;
  inPem: boolean;
}

const rules: readonly LineRule<State>[] = [
  [/^-----BEGIN (?:CERTIFICATE|SSL SESSION PARAMETERS)-----$/, (state, _groups, at) => pem(state, true, at)],
  [/^-----END (?:CERTIFICATE|SSL SESSION PARAMETERS)-----$/, (state, _groups, at) => pem(state, false, at)],
  [/^[A-Za-z0-9+/=]{1,76}$/, (state, _groups, at) => (state.inPem ? state.otherLines.push(at.line) : false)],
  [
    /^CONNECTED\([0-9A-Fa-f]+\)$/,
    (state, _groups, at) =>
      Object.assign(
        joinOrNew(state, at, (run) => run.connected),
        { connected: true },
      ),
  ],
  [/^CONNECTION ESTABLISHED$/, (state, _groups, at) => note(state, Object.assign(runOf(state, at), { connected: true }), at)],
  [
    /^Connecting to \S+$/,
    (state, _groups, at) =>
      note(
        state,
        joinOrNew(state, at, () => true),
        at,
      ),
  ],
  [/^depth=\d+ (.*)$/, (state, [, text = ''], at) => runOf(state, at).subjects.push({ line: at.line, text })],
  [
    /^verify error:num=(\d+):(.*)$/,
    (state, [, code, text = ''], at) => runOf(state, at).verifyErrors.push({ line: at.line, code: Number(code), text }),
  ],
  [
    /^Verification error: (.*)$/,
    (state, [, text = ''], at) => runOf(state, at).verifyErrors.push({ line: at.line, code: undefined, text }),
  ],
  [/^verify return:\d+$|^Verification: OK$|^Verified peername: /, (state, _groups, at) => note(state, runOf(state, at), at)],
  [/^notAfter=(.*)$/, (state, [, notAfter = ''], at) => note(state, Object.assign(runOf(state, at), { notAfter }), at)],
  [
    /^(?:Protocol version|\s*Protocol\s*): ?(\S+)$/,
    (state, [, protocol = ''], at) => note(state, Object.assign(runOf(state, at), { protocol }), at),
  ],
  [/^(?:Ciphersuite|\s*Cipher\s*): ?(\S+)$/, (state, [, cipher = ''], at) => note(state, Object.assign(runOf(state, at), { cipher }), at)],
  [
    /^New, (\S+), Cipher is (\S+)$/,
    (state, [, protocol = '', cipher = ''], at) => note(state, Object.assign(runOf(state, at), { protocol, cipher }), at),
  ],
  [
    /^Peer certificate: (.*)$|^subject=(.*)$|^ *\d+ s:(.*)$/,
    (state, [, ...texts], at) => runOf(state, at).subjects.push({ line: at.line, text: texts.find(Boolean) ?? '' }),
  ],
  [
    /^issuer=(.*)$|^ +i:(.*)$/,
    (state, [, ...texts], at) => runOf(state, at).issuers.push({ line: at.line, text: texts.find(Boolean) ?? '' }),
  ],
  [
    /^no peer certificate available$/,
    (state, _groups, at) => note(state, Object.assign(runOf(state, at), { noPeerCertificate: true }), at),
  ],
  [
    /^ *Verify return code: (\d+) \(.*\)$/,
    (state, [, code], at) => note(state, Object.assign(runOf(state, at), { verifyReturnCode: Number(code) }), at),
  ],
  [/^DONE$|^closed$/, (state, _groups, at) => finish(state, at)],
  [
    /^[0-9A-Fa-f]+:error:[0-9A-Fa-f]+:[^:]*:[^:]*:([^:]*):.*$/,
    (state, [text = '', reason = ''], at) => libraryError(state, text, reason, at),
  ],
  [/^connect:errno=(\d+)$/, (state, [text = '', errno], at) => connectError(state, text, Number(errno), at)],
  [
    /^(?:write|read):errno=(\d+)$/,
    (state, [text = '', errno], at) => failed(state, text, Number(errno) === 104 ? 'reset' : 'empty-reply', at),
  ],
  [
    /^(?:s_client: |BIO_lookup|gethostbyname|connect: |socket: ).*$/,
    (state, [text = ''], at) => runOf(state, at).failures.push(failureOfWords(at.line, text)),
  ],
  [
    /^---$|^(?:Server certificate|Certificate chain|Acceptable client certificate CA names|No client certificate CA names sent|SSL handshake has read |Secure Renegotiation IS |Compression: |Expansion: |No ALPN negotiated|ALPN protocol: |Early data was |Server public key is |This TLS version forbids|Requested Signature Algorithms|Shared Requested Signature|Peer signing digest|Peer signature type|Peer Temp Key|Negotiated TLS1\.3 group|Server Temp Key|Hash used|Signature type|Signature Algorithms|Supported Elliptic|Client Certificate Types|SSL-Session|Post-Handshake New Session|Max Early Data|read R BLOCK|Can't use SSL_get_servername|Reused, |No CRL|Using default)/,
    (state, _groups, at) => note(state, runOf(state, at), at),
  ],
  [
    /^ +(?:Session-ID|Session-ID-ctx|Master-Key|Resumption PSK|PSK identity|PSK identity hint|SRP username|TLS session ticket|Start Time|Timeout|Extended master secret|Max Early Data|TLS session ticket lifetime hint|a:PKEY|v:NotBefore)\b.*$|^ +[0-9a-f]{4} - .*$|^[A-Z]{1,2} ?= ?\S.*$|^RSA-PSS.*$/,
    (state, _groups, at) => note(state, runOf(state, at), at),
  ],
  ...shellMarkRules,
];

function newRun(state: State, { line }: Line): TlsRun {
  state.current = {
    line,
    connected: false,
    protocol: undefined,
    cipher: undefined,
    subjects: [],
    issuers: [],
    verifyErrors: [],
    verifyReturnCode: undefined,
    noPeerCertificate: false,
    failures: [],
    notAfter: undefined,
  };
  state.runs.push(state.current);
  return state.current;
}

const runOf = (state: State, at: Line): TlsRun => state.current ?? newRun(state, at);

function joinOrNew(state: State, at: Line, isTaken: (run: TlsRun) => boolean): TlsRun {
  const run = state.current === undefined || isTaken(state.current) ? newRun(state, at) : state.current;
  state.otherLines.push(at.line);
  return run;
}

function note(state: State, _run: TlsRun, { line }: Line): undefined {
  state.otherLines.push(line);
  return undefined;
}

function pem(state: State, inPem: boolean, at: Line): undefined {
  state.inPem = inPem;
  return note(state, runOf(state, at), at);
}

function finish(state: State, at: Line): undefined {
  note(state, runOf(state, at), at);
  state.current = undefined;
  return undefined;
}

function failed(state: State, text: string, cause: 'reset' | 'empty-reply' | 'tls' | 'refused' | 'timeout', at: Line): undefined {
  runOf(state, at).failures.push({ ...failureOfWords(at.line, text), cause, couldBe: [cause] });
  return undefined;
}

/** OpenSSL's error queue: `system library` lines name an errno, `SSL routines` the handshake. */
function libraryError(state: State, text: string, reason: string, at: Line): undefined {
  const failure = failureOfWords(at.line, reason || text);
  const isHandshake = text.includes(':SSL routines:');
  // A connect comes before all else of its run.
  if (text.includes(':system library:') && text.includes('connect') && (state.current?.failures.length ?? 0) > 0) newRun(state, at);
  if (failure.cause === 'other' && isHandshake)
    Object.assign(failure, { cause: 'tls', couldBe: /unexpected eof/.test(text) ? ['tls', 'empty-reply', 'reset'] : ['tls'] });
  runOf(state, at).failures.push(failure);
  return undefined;
}

/** Linux errno values (include/uapi/asm-generic/errno.h). */
const errnoWords: Readonly<Record<number, string>> = {
  101: 'Network is unreachable',
  104: 'Connection reset by peer',
  110: 'Connection timed out',
  111: 'Connection refused',
  113: 'No route to host',
  13: 'Permission denied',
  1: 'Operation not permitted',
};

function connectError(state: State, text: string, errno: number, at: Line): undefined {
  const { cause, couldBe } = failureOfWords(at.line, errnoWords[errno] ?? text);
  runOf(state, at).failures.push({ ...failureOfWords(at.line, text), cause, couldBe });
  state.current = undefined;
  return undefined;
}
