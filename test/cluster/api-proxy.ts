import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { parse } from 'yaml';
import { listen } from './access.ts';

/** Which requests a rule is for: all of what is given must hold. */
export interface Match {
  method?: string;
  /** Tested against path and query, such as `/api/v1/namespaces/default/pods?limit=500`. */
  path?: RegExp;
  /** true: only exec and attach; false: only the others. */
  exec?: boolean;
}

/** What the client gets instead of the API server's answer. */
export type Misbehaviour =
  /** A Status object; 429 brings Retry-After. The API server never sees the request. */
  | { kind: 'status'; code: 401 | 403 | 409 | 429 | 500; retryAfterSeconds?: number }
  /** The first half of the real answer: ended as if it were whole, or with a cut connection. */
  | { kind: 'half'; ending: 'clean' | 'cut' }
  /** No answer, for ever. */
  | { kind: 'hang' }
  /** exec and attach: the connection is cut once this many bytes of standard output and error have passed (SPDY: bytes of any kind). */
  | { kind: 'cut-stream'; afterBytes: number }
  /** exec and attach over WebSocket: the frame that has the exit code (channel 3) is lost, the close is a normal one. */
  | { kind: 'drop-status' };

export interface Rule extends Match {
  give: Misbehaviour;
  /** Only for the first so many matching requests; without it for all. */
  times?: number;
}

export interface ApiProxyOptions {
  /** How to reach and be admitted to the real API server from this process: that of startRelay(), for instance. */
  kubeconfig: string;
  /** The first that matches counts; what no rule matches passes unchanged. */
  rules?: Rule[];
}

export interface LoggedRequest {
  method: string;
  /** Path and query. */
  path: string;
  /** What it got instead of the real answer; undefined when it passed. */
  got: Misbehaviour['kind'] | undefined;
}

export interface ApiProxy {
  /** A kubeconfig of this proxy. Its token stands for the proxy's own credentials; another one in its place (`kubectl --token`) goes on as it is. */
  kubeconfig: string;
  port: number;
  requests: () => LoggedRequest[];
  close: () => Promise<void>;
}

/**
 * A TLS proxy on 127.0.0.1 between clients (kubectl, client-node) and the real API server, for the surroundings that have no real cause in the
 * cluster: refused, throttled, halved and lost answers, exec streams that end early or without their status.
 * Requests go on with the client certificate or token of `kubeconfig`, those with a bearer token of their own with that.
 */
export async function startApiProxy({ kubeconfig, rules = [] }: ApiProxyOptions): Promise<ApiProxy> {
  const upstream = readKubeconfig(kubeconfig);
  const directory = mkdtempSync(join(tmpdir(), 'k8snet-api-proxy-'));
  const identity = selfSigned(directory);
  const log: LoggedRequest[] = [];
  const choose = chooser(rules, log);
  const sockets = new Set<Duplex>();
  const server = https.createServer(identity);
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('request', (from: IncomingMessage, to: ServerResponse) => answer(upstream, from, to, choose(from)));
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  server.on('upgrade', (from: IncomingMessage, socket: Duplex, head: Buffer) => {
    const misbehaviour = choose(from);
    socket.on('error', () => {});
    if (refuse(socket, misbehaviour)) return;
    if (/websocket/i.test(from.headers.upgrade ?? '')) bridgeWebSocket(upstream, webSockets, { from, socket, head }, misbehaviour);
    else tunnel(upstream, { from, socket, head }, misbehaviour);
  });
  const port = await listen(server);
  const path = join(directory, 'kubeconfig');
  writeFileSync(path, kubeconfigFor(port, identity.cert), { mode: 0o600 });
  return {
    kubeconfig: path,
    port,
    requests: () => [...log],
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Upstream {
  url: URL;
  tls: { ca?: Buffer | undefined; cert?: Buffer | undefined; key?: Buffer | undefined };
  token: string | undefined;
}

interface Upgrade {
  from: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

type Named<T> = { name: string } & T;

/** The parts of a kubeconfig that are read here; kubectl config view documents the rest. */
interface KubeconfigFile {
  'current-context': string;
  contexts: Named<{ context: { cluster: string; user: string } }>[];
  clusters: Named<{ cluster: Record<string, string> }>[];
  users: Named<{ user: Record<string, string> }>[];
}

function readKubeconfig(path: string): Upstream {
  const file = parse(readFileSync(path, 'utf8')) as KubeconfigFile;
  const context = named(file.contexts, file['current-context']).context;
  const cluster = named(file.clusters, context.cluster).cluster;
  const user = named(file.users, context.user).user;
  if (cluster.server === undefined) throw new Error(`${path}: the cluster has no server`);
  const tls = {
    ca: material(cluster, 'certificate-authority'),
    cert: material(user, 'client-certificate'),
    key: material(user, 'client-key'),
  };
  return { url: new URL(cluster.server), tls, token: user.token };
}

function named<T>(list: Named<T>[], name: string): Named<T> {
  const found = list.find((item) => item.name === name);
  if (found === undefined) throw new Error(`the kubeconfig has no ${name}`);
  return found;
}

/** A certificate or key: in the kubeconfig itself (`…-data`) or in the file that it names. */
function material(where: Record<string, string>, key: string): Buffer | undefined {
  const data = where[`${key}-data`];
  if (data !== undefined) return Buffer.from(data, 'base64');
  const file = where[key];
  return file === undefined ? undefined : readFileSync(file);
}

function selfSigned(directory: string): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(directory, 'tls.key'), join(directory, 'tls.crt')];
  const subject = ['-subj', '/CN=api-proxy', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Without any credentials kubectl asks for a user name; a request with this token goes on with the proxy's own. */
const OWN_TOKEN = 'the-proxys-own';

/** JSON is YAML, so kubectl and client-node read it. */
function kubeconfigFor(port: number, cert: Buffer): string {
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': cert.toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    clusters: [{ name: 'proxy', cluster }],
    users: [{ name: 'proxy', user: { token: OWN_TOKEN } }],
  });
}

function chooser(rules: Rule[], log: LoggedRequest[]): (from: IncomingMessage) => Misbehaviour | undefined {
  const left = new Map(rules.map((rule) => [rule, rule.times ?? Number.POSITIVE_INFINITY]));
  return (from) => {
    const [method, path] = [from.method ?? '', from.url ?? ''];
    const rule = rules.find((candidate) => (left.get(candidate) ?? 0) > 0 && matches(candidate, method, path));
    if (rule !== undefined) left.set(rule, (left.get(rule) ?? 0) - 1);
    log.push({ method, path, got: rule?.give.kind });
    return rule?.give;
  };
}

function matches(rule: Match, method: string, path: string): boolean {
  if (rule.method !== undefined && rule.method !== method) return false;
  if (rule.exec !== undefined && rule.exec !== /\/pods\/[^/]+\/(exec|attach)(\?|$)/.test(path)) return false;
  return rule.path?.test(path) ?? true;
}

const REASONS = { 401: 'Unauthorized', 403: 'Forbidden', 409: 'Conflict', 429: 'TooManyRequests', 500: 'InternalError' } as const;

function statusAnswer({ code, retryAfterSeconds = 1 }: Misbehaviour & { kind: 'status' }): {
  headers: Record<string, string>;
  body: string;
} {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: REASONS[code], code };
  const details = code === 429 ? { details: { retryAfterSeconds } } : {};
  const body = JSON.stringify({ ...status, ...details, message: `the proxy answers ${code}` });
  const retry = code === 429 ? { 'retry-after': String(retryAfterSeconds) } : {};
  return { headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...retry }, body };
}

function answer(upstream: Upstream, from: IncomingMessage, to: ServerResponse, misbehaviour: Misbehaviour | undefined): void {
  if (misbehaviour?.kind === 'hang') return;
  if (misbehaviour?.kind === 'status') {
    const { headers, body } = statusAnswer(misbehaviour);
    from.resume();
    to.writeHead(misbehaviour.code, headers).end(body);
    return;
  }
  const onward = https.request(upstreamOptions(upstream, from), (reply) => {
    if (misbehaviour?.kind === 'half') return void sendHalf(reply, to, misbehaviour.ending);
    to.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(to).on('error', () => {});
    reply.on('error', () => to.destroy());
  });
  onward.on('error', () => to.destroy());
  to.on('close', () => onward.destroy());
  from.pipe(onward);
}

async function sendHalf(reply: IncomingMessage, to: ServerResponse, ending: 'clean' | 'cut'): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  const half = whole.subarray(0, Math.floor(whole.length / 2));
  const { 'transfer-encoding': _, ...headers } = reply.headers;
  to.writeHead(reply.statusCode ?? 502, { ...headers, 'content-length': ending === 'clean' ? half.length : whole.length });
  if (ending === 'clean') to.end(half);
  else to.write(half, () => to.destroy());
}

/** Without Accept-Encoding: half of a compressed answer would be another fault than half an object. */
function upstreamOptions(upstream: Upstream, from: IncomingMessage): https.RequestOptions {
  const { 'accept-encoding': _, host: __, authorization: ___, ...headers } = from.headers;
  const { credentials, tls } = credentialsFor(upstream, from);
  const { hostname, port } = upstream.url;
  return { hostname, port, method: from.method, path: from.url, headers: { ...headers, ...credentials }, agent: false, ...tls };
}

function credentialsFor(upstream: Upstream, from: IncomingMessage): { credentials: Record<string, string>; tls: Upstream['tls'] } {
  const { ca } = upstream.tls;
  const { authorization } = from.headers;
  if (authorization !== undefined && authorization !== `Bearer ${OWN_TOKEN}`) return { credentials: { authorization }, tls: { ca } };
  return { credentials: upstream.token === undefined ? {} : { authorization: `Bearer ${upstream.token}` }, tls: upstream.tls };
}

/** Whether an upgrade was dealt with here: never answered, or answered with a status. */
function refuse(socket: Duplex, misbehaviour: Misbehaviour | undefined): boolean {
  if (misbehaviour?.kind === 'hang') return true;
  if (misbehaviour?.kind !== 'status') return false;
  const { headers, body } = statusAnswer(misbehaviour);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${misbehaviour.code} ${REASONS[misbehaviour.code]}`, ...lines, '', body].join('\r\n'));
  return true;
}

/** The client's upgrade is accepted only after the API server has accepted ours, so that its refusals arrive as they are. */
function bridgeWebSocket(upstream: Upstream, server: WebSocketServer, upgrade: Upgrade, misbehaviour: Misbehaviour | undefined): void {
  const { from, socket, head } = upgrade;
  const { credentials, tls } = credentialsFor(upstream, from);
  const offered = (from.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const headers = { ...impersonation(from), ...credentials };
  const far = new WebSocket(new URL(from.url ?? '/', upstream.url.href.replace(/^http/, 'ws')), offered, { ...tls, headers });
  far.on('error', () => socket.destroy());
  far.on('unexpected-response', (_request, reply) => copyRefusal(reply, socket));
  far.on('open', () => {
    from.headers['sec-websocket-protocol'] = far.protocol;
    server.handleUpgrade(from, socket, head, (near) => {
      const pass = filterFrames(misbehaviour, () => near.terminate());
      far.on('message', (data, isBinary) => pass(data) && near.send(data, { binary: isBinary }));
      near.on('message', (data, isBinary) => far.send(data, { binary: isBinary }));
      far.on('close', (code, reason) => (code === 1006 ? near.terminate() : near.close(code === 1005 ? undefined : code, reason)));
      near.on('close', () => far.close());
      near.on('error', () => far.terminate());
    });
  });
}

/** A WebSocket's own headers are made anew; these say on whose behalf it is. */
function impersonation(from: IncomingMessage): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(from.headers).filter(([name]) => name.startsWith('impersonate-')));
}

/** Whether a frame from the API server goes on. Its first byte is the channel: 1 and 2 are output, 3 the status (protocol v5.channel.k8s.io). */
function filterFrames(misbehaviour: Misbehaviour | undefined, cut: () => void): (data: RawData) => boolean {
  let left = misbehaviour?.kind === 'cut-stream' ? misbehaviour.afterBytes : Number.POSITIVE_INFINITY;
  return (data) => {
    const bytes = data as Buffer;
    const channel = bytes[0];
    if (misbehaviour?.kind === 'drop-status' && channel === 3) return false;
    if (channel === 1 || channel === 2) left -= bytes.length - 1;
    if (left >= 0) return true;
    cut();
    return false;
  };
}

function copyRefusal(reply: IncomingMessage, socket: Duplex): void {
  const lines = [`HTTP/1.1 ${reply.statusCode} ${reply.statusMessage}`, `content-type: ${reply.headers['content-type'] ?? 'text/plain'}`];
  socket.write(`${[...lines, 'connection: close'].join('\r\n')}\r\n\r\n`);
  reply.pipe(socket);
}

/** Other upgrades (SPDY/3.1, which kubectl before 1.30 uses): byte by byte. */
function tunnel(upstream: Upstream, { from, socket, head }: Upgrade, misbehaviour: Misbehaviour | undefined): void {
  const { credentials, tls } = credentialsFor(upstream, from);
  const far = tlsConnect({ host: upstream.url.hostname, port: Number(upstream.url.port), ...tls }, () => {
    const headers = Object.entries({ ...headersOf(from), authorization: [], ...credentials }).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}`),
    );
    far.write([`${from.method} ${from.url} HTTP/1.1`, ...headers, '', ''].join('\r\n'));
    far.write(head);
    socket.pipe(far);
  });
  let left = misbehaviour?.kind === 'cut-stream' ? misbehaviour.afterBytes : Number.POSITIVE_INFINITY;
  far.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    if (left >= 0) socket.write(bytes);
    else socket.destroy();
  });
  far.on('error', () => socket.destroy()).on('close', () => socket.end());
  socket.on('close', () => far.destroy());
}

/** As they came, repeated ones (X-Stream-Protocol-Version) too: node joins them with commas otherwise, which the API server does not split. */
function headersOf(from: IncomingMessage): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (let i = 0; i + 1 < from.rawHeaders.length; i += 2) {
    const name = (from.rawHeaders[i] ?? '').toLowerCase();
    headers[name] = [...(headers[name] ?? []), from.rawHeaders[i + 1] ?? ''];
  }
  return headers;
}
