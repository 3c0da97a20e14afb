import type { Capture } from '../../src/model/capture.ts';
import type { DigOutput, GetentOutput, ResolvConf } from '../../src/model/dns.ts';
import type { ConnectOutput, CurlOutput, FailureCause, PathOutput, PingOutput, TlsOutput } from '../../src/model/probe.ts';
import { type Comparator, entriesOf, isLoose, type Loose, missing, objectsIn } from './objects.ts';

/** dig and kdig: the status or the failure of each query, in the order of the truth's keys. */
export const dig: Comparator = (truth, value, { slug }) => {
  const { runs } = value as DigOutput;
  if (slug.includes('short'))
    return digShort(
      truth,
      runs.flatMap((run) => run.short.map(({ data }) => data)),
      runs,
    );
  const said = runs.map((run) => run.header?.status ?? run.failures[0]?.text ?? '');
  const causes = runs.map((run) => run.failures[0]);
  return entriesOf(truth).flatMap(([name, words], index) => {
    const text = String(words);
    const status = /NXDOMAIN|SERVFAIL|REFUSED|NOTIMP|FORMERR/.exec(text)?.[0];
    const couldBe = causes[index]?.couldBe ?? [];
    const run = runs[index];
    return missing([
      [`${name}: ${status}`, status === undefined || (said[index] ?? '').includes(status)],
      [
        `${name}: refused`,
        !/port unreachable|refused by/.test(text) || couldBe.some((cause) => cause === 'refused') || slug.includes('kdig'),
      ],
      [`${name}: timeout`, !/timeout|no ARP/.test(text) || couldBe.some((cause) => cause === 'timeout' || cause === 'host-unreachable')],
      [
        `${name}: prohibited`,
        !/admin prohibited/.test(text) || couldBe.some((cause) => cause === 'admin-prohibited' || cause === 'host-unreachable'),
      ],
      [`${name}: reset`, !/reset/.test(text) || couldBe.includes('reset')],
      [`${name}: tc`, !/tc flag/.test(text) || run?.flags?.flags.includes('tc') === true],
      [`${name}: retried`, !/retried over TCP/.test(text) || run?.retriedOverTcp === true],
      [`${name}: address`, !/^\d+\.\d+\.\d+\.\d+$/.test(text) || run?.records.some(({ data }) => data === text) === true],
      [
        `${name}: answered`,
        name !== 'answered' ||
          runs.some((each) => each.records.some(({ name: owner, data }) => text === `${owner.replace(/\.$/, '')} ${data}`)),
      ],
    ]);
  });
};

function digShort(truth: Loose, data: string[], runs: DigOutput['runs']): string[] {
  const failures = runs.flatMap((run) => run.failures);
  return missing([
    ['address', typeof truth.web !== 'string' || data.includes(truth.web)],
    ['reverse name', typeof truth.ptr !== 'string' || data.includes(`${truth.ptr}.`)],
    ['SRV', typeof truth.srv !== 'string' || data.some((line) => line.startsWith(String(truth.srv)))],
    ['number of addresses', typeof truth.many !== 'number' || data.filter((line) => /^10\.244\./.test(line)).length === truth.many],
    ['timeout', truth.first !== 'timeout' || failures[0]?.cause === 'timeout'],
    ['bad option', truth.second !== 'bad option' || failures.some(({ text }) => text.includes('Invalid option'))],
  ]);
}

export const getent: Comparator = (truth, value) => {
  const { entries, marks } = value as GetentOutput;
  const found = entries.map(({ address }) => address);
  const failed = entriesOf(truth).filter(([, words]) => String(words).startsWith('exit 2')).length;
  return missing([
    [
      'addresses',
      entriesOf(truth).every(([, words]) =>
        (Array.isArray(words) ? words : [words]).every((word) => !/^[\da-f.:]+$/.test(String(word)) || found.includes(String(word))),
      ),
    ],
    ['exits', marks.filter(({ code }) => code === 2).length === 2 * failed],
  ]);
};

export const resolvConf: Comparator = (truth, value) => {
  const conf = value as ResolvConf;
  const used = conf.nameservers.filter(({ used: isUsed }) => isUsed).map(({ address }) => address);
  const same = (wanted: unknown, found: readonly string[]): boolean =>
    !Array.isArray(wanted) || wanted.map((word) => String(word).split(' ')[0]).join() === found.join();
  return missing([
    ['search list', same(truth.search_effective, conf.search?.domains ?? [])],
    ['name servers of glibc', same(truth.nameservers_used_by_glibc, used)],
    ['name servers', same(truth.nameservers, used)],
    ['number of domains', truth.search_count === undefined || conf.search?.domains.length === truth.search_count],
    ['ndots', (truth.ndots_effective ?? truth.ndots ?? conf.ndots) === conf.ndots],
    ['an absent file is no empty one', truth.size === undefined || (conf.readErrors.length > 0 && conf.nameservers.length === 0)],
  ]);
};

/** What each port of the probe items does: the words of the truth, and the causes of which one must be among `couldBe`. */
const causesOf: readonly (readonly [RegExp, readonly FailureCause[]])[] = [
  [/^RST|nobody listens|refused/, ['refused']],
  [/port unreachable/, ['refused']],
  [/host unreachable|admin prohibited/, ['host-unreachable', 'admin-prohibited']],
  [/net unreachable|no route in the own/, ['net-unreachable']],
  [/timeout|dropped/, ['timeout']],
  [/protocol unreachable/, ['other', 'timeout']],
];

export const probes: Comparator = (truth, value, { slug }) => {
  const failures = objectsIn(value).filter(({ cause, couldBe }) => typeof cause === 'string' && Array.isArray(couldBe));
  const opened = objectsIn(value).filter(({ result }) => result === 'open');
  return entriesOf(isLoose(truth.ports) ? { ...truth.ports, ...truth } : truth).flatMap(([place, words]) => {
    const text = String(words);
    const isPort = /^\d+$/.test(place);
    const at = failures.filter(({ port, address }) => (isPort ? port === Number(place) : address === place));
    const wanted = causesOf.find(([pattern]) => pattern.test(text))?.[1];
    // What is open says nothing with /dev/tcp, and not each item asks each port.
    if (text === 'open')
      return missing([[`${place} is not open`, slug.includes('dev-tcp') || opened.some(({ port }) => port === Number(place))]]);
    if (wanted === undefined || at.length === 0 || !/^[\d.]+$/.test(place)) return [];
    // An ICMP error that the router's rate limit held back is a timeout to the client, as the item's quirks say.
    return missing([
      [
        `${place}: ${text}`,
        at.some(({ couldBe }) => (couldBe as FailureCause[]).some((cause) => wanted.includes(cause) || cause === 'timeout')),
      ],
    ]);
  });
};

/** curl: one outcome for each of the truth's words, in order. */
export const curl: Comparator = (truth, value, item) => {
  const { errors, writeOuts, body } = value as CurlOutput;
  if (isLoose(truth.ports)) return probes(truth, value, item);
  if (Array.isArray(truth.order))
    return inOrder(
      truth.order.map(String),
      writeOuts.map(({ status, failure }) => failure?.couldBe ?? [String(status)]),
    );
  if (typeof truth.outcome === 'string')
    return missing([[truth.outcome, errors.some(({ couldBe }) => couldBe.includes(truth.outcome as FailureCause))]]);
  const causes = errors.map(({ cause }) => cause);
  return missing([
    ['reset after connect', causes.includes('reset')],
    ['empty reply', causes.includes('empty-reply')],
    ['hang after connect', causes.includes('timeout')],
    ['partial body', errors.some(({ code }) => code === 18)],
    ['HTTP 503 with its page', body.some(({ text }) => text === 'no healthy upstream')],
    ['not HTTP', errors.some(({ code }) => code === 1)],
  ]);
};

const wordCause: Readonly<Record<string, string>> = {
  refused: 'refused',
  'connect timeout': 'timeout',
  'name not found': 'name',
  'hang after connect': 'timeout',
};

const inOrder = (wanted: readonly string[], found: readonly (readonly string[])[]): string[] =>
  wanted.flatMap((word, index) =>
    missing([[`${index + 1}: ${word}`, found[index]?.includes(wordCause[word] ?? word.split(' ')[0] ?? '') === true]]),
  );

export const connects: Comparator = (truth, value, item) => [
  ...probes(truth, value, item),
  ...missing([['no attempt', (value as ConnectOutput).attempts.length > 0]]),
];

export const ping: Comparator = (truth, value) => {
  const { runs } = value as PingOutput;
  const [first] = runs;
  const mtus = new Set(runs.flatMap((run) => run.errors.flatMap(({ mtu }) => (mtu === undefined ? [] : [mtu]))));
  return missing([
    ['statistics', (first?.statistics?.transmitted ?? 0) > 0],
    ['path MTU', truth.path_mtu === undefined || (mtus.size === 1 && mtus.has(Number(truth.path_mtu)))],
    ['loss', truth.loss_configured === undefined || (first?.statistics?.lossPercent ?? 0) > 0],
    [
      'duplicates',
      truth.duplicates_configured === undefined ||
        (first?.statistics?.duplicates ?? 0) === (first?.replies.filter(({ duplicate }) => duplicate).length ?? -1),
    ],
  ]);
};

export const paths: Comparator = (_truth, value) =>
  missing([
    ['loss of the hop', (value as PathOutput).runs[0]?.hops[0]?.notes.some((note) => /^[1-9][\d.]*% of 10 lost$/.test(note)) === true],
  ]);

export const tls: Comparator = (_truth, value) => {
  const { runs } = value as TlsOutput;
  const verify = runs.flatMap((run) => run.verifyErrors.map(({ text }) => text));
  const causes = runs.flatMap((run) => run.failures.map(({ cause }) => cause));
  return missing([
    ['self-signed for another name', verify.includes('self-signed certificate') && verify.includes('hostname mismatch')],
    ['expired', verify.includes('certificate has expired')],
    ['refused', causes.includes('refused')],
    ['plain HTTP', causes.includes('tls')],
    ['closed', runs.some(({ noPeerCertificate }) => noPeerCertificate)],
  ]);
};

/** Captures: what the truth says that was sent, by a pattern that the packet's own words must fit. */
const seen: readonly (readonly [RegExp, (packets: Capture['packets']) => boolean])[] = [
  [
    /echo request and reply/,
    (packets) => ['echo-request', 'echo-reply'].every((type) => packets.some(({ body }) => body.kind === 'icmp' && body.type === type)),
  ],
  [/time exceeded/, (packets) => packets.some(({ body }) => body.kind === 'icmp' && body.type === 'time-exceeded')],
  [/udp port \d+ unreachable/, (packets) => packets.some(({ body }) => body.kind === 'icmp' && body.type === 'port-unreachable')],
  [/need to frag \(mtu 1300\)/, (packets) => packets.some(({ body }) => body.kind === 'icmp' && body.mtu === 1300)],
  [/admin prohibited/, (packets) => packets.some(({ body }) => body.kind === 'icmp' && body.type === 'admin-prohibited')],
  [
    /host 10\.101\.0\.10 unreachable/,
    (packets) => packets.some(({ body }) => body.kind === 'icmp' && body.type === 'host-unreachable' && body.unreachable === '10.101.0.10'),
  ],
  [/three fragments/, (packets) => packets.filter(({ ip, body }) => ip?.id === 44451 && body.kind !== 'icmp').length === 3],
  [
    /VXLAN vni 1 on 8472/,
    (packets) => packets.some(({ body, inner }) => body.kind === 'tunnel' && body.vni === 1 && inner?.body.kind === 'icmp'),
  ],
  [
    /VXLAN vni 4096/,
    (packets) => packets.some(({ body, inner }) => body.kind === 'tunnel' && body.vni === 4096 && inner?.body.kind === 'tcp'),
  ],
  [/Geneve vni 0x123/, (packets) => packets.some(({ body }) => body.kind === 'tunnel' && body.protocol === 'geneve' && body.vni === 0x123)],
  [
    /^IPIP/,
    (packets) => packets.some(({ body, inner }) => body.kind === 'tunnel' && body.protocol === 'ipip' && inner?.body.kind === 'icmp'),
  ],
  [
    /^GRE inner/,
    (packets) => packets.some(({ body, inner }) => body.kind === 'tunnel' && body.protocol === 'gre' && inner?.body.kind === 'icmp'),
  ],
  [/802\.1Q vlan 100/, (packets) => packets.some(({ vlans }) => vlans.join() === '100')],
  [/802\.1ad 200 over 802\.1Q 10/, (packets) => packets.some(({ vlans }) => vlans.join() === '200,10')],
  [/^refused$/, (packets) => packets.some(({ body }) => body.kind === 'tcp' && body.flags.includes('R'))],
  [/^timeout$/, (packets) => packets.length > 1 && packets.every(({ body }) => body.kind === 'tcp' && body.flags === 'S')],
  [/GET|HTTP over/, (packets) => packets.some(({ body }) => body.kind === 'tcp' && body.application?.includes('GET / HTTP') === true)],
  [
    /receiver does not read/,
    (packets) => packets.some(({ body }) => body.kind === 'tcp' && body.window === 0 && !body.flags.includes('R')),
  ],
  [/one UDP packet whose payload/, (packets) => packets.length === 1 && packets[0]?.body.kind === 'udp'],
];

export const captures: Comparator = (truth, value, { slug }) => {
  const capture = value as Capture;
  const words = [truth.outcome, ...(Array.isArray(truth.events) ? truth.events : [])].filter((word) => word !== undefined).map(String);
  const questions = capture.packets.flatMap(({ body }) => (body.kind === 'dns' && body.question ? [body.question.name] : []));
  const search = Array.isArray(truth.search) ? truth.search.map((domain) => `${truth.asked_by_resolver}.${domain}.`) : [];
  return missing([
    ...words.flatMap((word) => seen.filter(([pattern]) => pattern.test(word)).map(([, holds]) => [word, holds(capture.packets)] as const)),
    ['names that were searched', search.every((name) => questions.includes(name))],
    [
      'answer',
      typeof truth.A !== 'string' || capture.packets.some(({ body }) => body.kind === 'dns' && body.answers.includes(`A ${truth.A}`)),
    ],
    ['link type', typeof truth.linktype !== 'string' || (capture.source?.linkType ?? '').startsWith(truth.linktype)],
    [
      'devices',
      !Array.isArray(truth.devices) || truth.devices.every((device) => capture.packets.some((packet) => packet.device === device)),
    ],
    ['number of packets', typeof truth.packets !== 'number' || slug.includes('cut') || capture.packets.length === truth.packets],
    [
      'four errors',
      !String(truth.outcome).startsWith('four errors') || capture.errors.filter(({ text }) => !text.startsWith('(')).length === 4,
    ],
    ['holes are seen', truth.buffer === undefined || (capture.counters.droppedByKernel ?? 0) > 0],
    [
      'offload is no fault of the packet',
      !String(truth.cause).startsWith('checksum offload') || capture.packets.some(({ body }) => body.kind === 'tcp' && body.badChecksum),
    ],
  ]);
};
