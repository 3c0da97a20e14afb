import type { Endpoint } from '../../src/model/endpoints.ts';
import type { Entry } from '../../src/snapshot/entry.ts';
import { type Output, outputOf, type Recording } from './recording.ts';

const origin = 'pod/default/client';
const service = 'my-service';
const absolute = `${service}.default.svc.cluster.local`;

/** What of the recorded requests of the client is a probe of ours: the same question, in the form that src/collect/prelude.ts prints. */
export function probeEntries(
  recording: Recording,
  clusterIP: string | undefined,
  clusterDns: readonly string[],
  endpoints: readonly Endpoint[],
): Entry[] {
  const of = (file: string): Output | undefined => outputOf(recording, `pods/default/client/${file}`);
  const server = /^nameserver (\S+)/m.exec(of('resolv.conf')?.stdout ?? '')?.[1];
  const short = of('dig-short-name.txt');
  const fqdn = of('dig-fqdn.txt');
  const entries: (Entry | undefined)[] = [
    server && short && probe(`name/${service}`, `getent ahostsv4 ${service}`, lookup(short, server, absolute)),
    server && fqdn && probe(`name/${absolute}.`, `getent ahostsv4 ${absolute}.`, lookup(fqdn, server, `${absolute}.`)),
    server !== undefined &&
      clusterDns.includes(server) &&
      fqdn &&
      probe(`dns-server/${server}`, `dig @${server} ${absolute} A`, tryOf(1, 'dig', digText(fqdn), fqdn.exit, digTime(fqdn))),
    clusterIP === undefined ? undefined : serviceProbe(of, clusterIP),
    ...endpoints.filter((endpoint) => endpoint.ready || endpoint.serving).flatMap((endpoint) => endpointProbes(of, endpoint)),
  ].map((entry) => entry || undefined);
  return entries.filter((entry) => entry !== undefined);
}

type Reader = (file: string) => Output | undefined;

const probe = (key: string, command: string, stdout: string): Entry => ({
  key: `probe/${origin}/${key}`,
  command,
  on: { kind: 'pod', namespace: 'default', name: 'client' },
  exit: 0,
  stdout,
  stderr: '',
});

const tryOf = (number: number, tool: string, text: string, exit: number, milliseconds: number): string =>
  `k8snet-try ${number} rc=${exit} cs=${Math.round(milliseconds / 10)}\ntool=${tool}\n${text.trimEnd()}\n`;

const digText = (output: Output): string => (output.stdout + output.stderr).trimEnd();
const digTime = ({ stdout }: Output): number =>
  /timed out/.test(stdout) ? 3000 : Number(/^;; Query time: (\d+) msec/m.exec(stdout)?.[1] ?? 0);

/** The name that dig asked stands in its answer; where none came it is the one that it would ask first. */
function lookup(output: Output, server: string, first: string): string {
  const asked = /^;; QUESTION SECTION:\n;(\S+)/m.exec(output.stdout)?.[1] ?? first;
  const centiseconds = Math.round(digTime(output) / 10);
  return `k8snet-query name=${asked} server=${server}\ntool=dig\n${digText(output)}\nk8snet-answer rc=${output.exit} cs=${centiseconds}\n`;
}

function serviceProbe(of: Reader, clusterIP: string): Entry | undefined {
  const single = of('curl-clusterip.txt');
  if (!single) return undefined;
  const series = (of('curl-clusterip-x12.txt')?.stdout ?? '').split('\n').filter((line) => /^\d{3} connect=/.test(line));
  const text = [
    tryOf(1, 'curl', single.stderr, single.exit, curlTime(single.stderr)),
    ...series.map((line, index) => seriesTry(index + 2, line)),
  ].join('');
  return probe(`service/${clusterIP}:80`, `curl -v http://${clusterIP}:80/`, text);
}

/** One of the twelve in a row: `-w` with the status, the time and curl's own words; the exit status follows from them (curl(1)). */
function seriesTry(number: number, line: string): string {
  const exit = line.startsWith('000') ? (/timed out/.test(line) ? 28 : 7) : 0;
  return tryOf(number, 'curl', line, exit, Number(/total=([\d.]+)s/.exec(line)?.[1] ?? 0) * 1000);
}

const curlTime = (stderr: string): number => Number(/after (\d+) (?:ms|milliseconds)/.exec(stderr)?.[1] ?? 0);

function endpointProbes(of: Reader, { address, port }: Endpoint): Entry[] {
  const curl = of(`curl-${address}.txt`);
  // Recorded with the containers' port: where the endpoint has another one, it was not asked.
  const asked = curl && Number(/Trying [\d.]+:(\d+)/.exec(curl.stderr)?.[1]) === port;
  const size = payload(of, address);
  return [
    ...(asked
      ? [
          probe(
            `endpoint/${address}:${port}`,
            `curl -v http://${address}:${port}/`,
            tryOf(1, 'curl', curl.stderr, curl.exit, curlTime(curl.stderr)),
          ),
        ]
      : []),
    ...(size === undefined ? [] : [probe(`payload/${address}`, `ping -M do -s MTU-28 ${address}`, size)]),
  ];
}

/** The recorded full-size packets are 1450 bytes: the MTU of the pods. Fragments were not counted. */
function payload(of: Reader, address: string): string | undefined {
  const mtu = of('mtu.txt')?.stdout.trim();
  const small = of(`ping-${address}.txt`);
  const full = of(`ping-df-1422-${address}.txt`);
  if (mtu !== '1450' || !small || !full) return undefined;
  const part = (size: string, output: Output) => `k8snet-ping size=${size}\n${(output.stdout + output.stderr).trim()}\n`;
  return `k8snet-mtu dev=eth0 mtu=${mtu}\n${part('small', small)}${part(mtu, full)}`;
}
