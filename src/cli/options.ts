import { type Command, InvalidArgumentError, Option } from 'commander';
import type { KubectlFlags } from '../collect/kubectl.ts';
import { parseDuration } from '../collect/options.ts';
import { isNamespaceName, isPort } from '../collect/target.ts';
import { defaultImage } from '../model/node-image.ts';
import { mostTries, type WatchLength, watchBounds } from '../model/watch.ts';

/** commander hands `-o=json` over as "=json" (seen with 14.0). */
const withoutEquals = (value: string): string => value.replace(/^=/, '');

const oneOf =
  (...choices: string[]) =>
  (value: string): string => {
    const plain = withoutEquals(value);
    if (!choices.includes(plain)) throw new InvalidArgumentError(`allowed are ${choices.join(', ')}.`);
    return plain;
  };

const duration = (value: string): number => {
  const milliseconds = parseDuration(withoutEquals(value));
  if (milliseconds === null) throw new InvalidArgumentError('write a duration such as 30s, 1m30s or 1h.');
  return milliseconds / 1000;
};

/** A timer holds at most 2^31 milliseconds, and nobody waits for more than a day. */
const limit = (value: string): number => {
  const seconds = duration(value);
  if (seconds < 1 || seconds > 86_400) throw new InvalidArgumentError('from 1s to 24h.');
  return seconds;
};

const requestTimeout = (value: string): string => {
  const plain = withoutEquals(value);
  if (parseDuration(plain) === null) throw new InvalidArgumentError('write seconds, or a duration such as 5s or 1m30s.');
  return plain;
};

const port = (value: string): string => {
  const plain = withoutEquals(value);
  if (!isPort(plain)) throw new InvalidArgumentError('a number from 1 to 65535, or the name of a port.');
  return plain;
};

/** Checked here, because it becomes part of a request's path. */
const namespaceName = (value: string): string => {
  const plain = withoutEquals(value);
  if (!isNamespaceName(plain)) throw new InvalidArgumentError('lower-case letters, digits and "-", at most 63.');
  return plain;
};

export interface KubectlOptions {
  namespace?: string;
  context?: string;
  kubeconfig?: string;
  cluster?: string;
  user?: string;
  as?: string;
  asGroup?: string[];
  requestTimeout?: string;
  verbose: number;
}

export interface NodeOptions extends KubectlOptions {
  image: string;
  nodeAccess: 'auto' | 'pod' | 'none';
  nodeNamespace: string;
  timeout: number;
}

export interface CollectingOptions extends NodeOptions {
  from?: string;
  port?: string;
  dryRun?: boolean;
  printImages?: boolean;
}

export interface DiagnoseCommandOptions extends CollectingOptions {
  capture?: boolean;
  record?: string;
  bundle?: string;
  output: 'text' | 'json' | 'markdown';
  color: 'auto' | 'always' | 'never';
}

/** kubectl's own flags in kubectl's spelling. */
export function addKubectlOptions(command: Command, namespaceOf = 'namespace of the Service (default: that of the context)'): Command {
  const group = (option: Option) => option.helpGroup('kubectl options (handed to every kubectl that is started):');
  return command
    .addOption(group(new Option('-n, --namespace <namespace>', namespaceOf).argParser(namespaceName)))
    .addOption(group(new Option('--context <name>', 'kubeconfig context')))
    .addOption(group(new Option('--kubeconfig <file>', 'kubeconfig file')))
    .addOption(group(new Option('--cluster <name>', 'kubeconfig cluster')))
    .addOption(group(new Option('--user <name>', 'kubeconfig user')))
    .addOption(group(new Option('--as <user>', 'user to impersonate')))
    .addOption(
      group(
        new Option('--as-group <group>', 'group to impersonate; may be repeated').argParser(
          (value: string, before: string[] | undefined) => [...(before ?? []), value],
        ),
      ),
    )
    .addOption(group(new Option('--request-timeout <duration>', 'limit of one API request, for example 5s').argParser(requestTimeout)))
    .addOption(
      new Option('-v, --verbose', 'show what is done on standard error; -vv more')
        .argParser((_: string, before: number) => before + 1)
        .default(0, 'quiet'),
    );
}

/** How the cluster is looked at, from where a request starts. */
export function addCollectingOptions(command: Command): Command {
  command
    .addOption(
      new Option(
        '--from <client>',
        'where the request starts: pod/NAME, pod/NAMESPACE/NAME, deploy/NAME or node/NAME (default: a running pod of the namespace that is no endpoint, else a node)',
      ).argParser(withoutEquals),
    )
    .addOption(new Option('--port <port>', 'Service port, by number or name (default: the first TCP port)').argParser(port));
  return addNodeOptions(command)
    .addOption(new Option('--dry-run', 'print every kubectl command, the pod manifest and the script; touch nothing'))
    .addOption(new Option('--print-images', 'print the images that are needed, and end'));
}

/** How nodes are looked at. */
export function addNodeOptions(command: Command): Command {
  return (
    command
      .addOption(
        new Option(
          '--node-access <how>',
          'auto: the best allowed; pod: a privileged pod of ours or nothing; none: API and kubectl exec into the client only',
        )
          .argParser(oneOf('auto', 'pod', 'none'))
          .default('auto'),
      )
      // Not by commander's env(): a value from there counts as given, and --bundle would refuse it.
      .addOption(
        new Option('--image <image>', 'image of the node pod, env: K8SNET_IMAGE').default(process.env.K8SNET_IMAGE || defaultImage),
      )
      .addOption(
        new Option('--node-namespace <namespace>', 'namespace that node pods are made in').argParser(namespaceName).default('kube-system'),
      )
      .addOption(new Option('--timeout <duration>', 'limit of the whole run').argParser(limit).default(120, '2m'))
  );
}

export const colorOption = (): Option =>
  new Option('--color <when>', 'auto, always or never').argParser(oneOf('auto', 'always', 'never')).default('auto');

export const captureOption = (): Option => new Option('--capture', 'also watch a marked probe with tcpdump at every device of its way');

/** What has no meaning for a recording: ignored silently, it would be taken for heeded. */
const ofTheCluster = ['nodeAccess', 'image', 'context', 'kubeconfig', 'cluster', 'user', 'as', 'asGroup'];

const recordOption = (): Option => new Option('--record <file>', 'also write what was collected to FILE.tgz');

/** `conflicts`: what else has no meaning for a recording. */
const bundleOption = (does: string, conflicts: readonly string[]): Option =>
  new Option('--bundle <file>', does).conflicts([...conflicts, ...ofTheCluster]);

export function addReportOptions(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'text, json or markdown').argParser(oneOf('text', 'json', 'markdown')).default('text'))
    .addOption(colorOption())
    .addOption(recordOption())
    .addOption(bundleOption('judge a recording instead of a cluster', ['from', 'port', 'capture', 'record', 'dryRun']));
}

/** Which Services and nodes are held against the API. */
export const addVerifyOptions = (command: Command): Command =>
  command
    .addOption(new Option('-A, --all-namespaces', 'all Services of the cluster; rules for what no Service has are found then too'))
    .addOption(
      new Option('--node <node>', 'only this node; may be repeated (default: all)').argParser(
        (value: string, before: string[] | undefined) => [...(before ?? []), withoutEquals(value)],
      ),
    );

/** What packet is traced, and how the trace is put out. */
export const addTraceOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--from <source>',
        'where the packet starts: pod/NAME, pod/NAMESPACE/NAME, deploy/NAME, node/NAME, or an address outside of the cluster (default: as for diagnose)',
      ).argParser(withoutEquals),
    )
    .addOption(new Option('--to <target>', 'the target, instead of the argument').argParser(withoutEquals))
    .addOption(new Option('--udp', 'UDP instead of TCP'))
    .addOption(new Option('--sctp', 'SCTP instead of TCP'))
    .addOption(new Option('--icmp', 'an echo request (ping) instead of TCP'))
    .addOption(new Option('--reply', 'only the way of the answer, whether or not the request gets through'))
    .addOption(new Option('--source-port <port>', 'the port of a connection that may stand in connection tracking').argParser(portNumber))
    .addOption(
      new Option('--length <bytes>', 'layer-3 bytes of every packet, or "full": as much as the sender\'s device takes').argParser(
        packetLength,
      ),
    )
    .addOption(new Option('-o, --output <format>', 'text, json or mermaid').argParser(oneOf('text', 'json', 'mermaid')).default('text'))
    .addOption(colorOption())
    .addOption(new Option('--record <file>', 'also write what was collected to FILE.tgz'))
    .addOption(bundleOption('trace in a recording instead of a cluster', ['record']));

const wholeNumber =
  (least: number, most: number, what: string) =>
  (value: string): number => {
    const plain = withoutEquals(value);
    if (!/^\d+$/.test(plain) || Number(plain) < least || Number(plain) > most) throw new InvalidArgumentError(what);
    return Number(plain);
  };
const portNumber = wholeNumber(1, 65_535, 'a port is a number from 1 to 65535.');
const packetLength = (value: string): number | 'full' =>
  withoutEquals(value) === 'full' ? 'full' : wholeNumber(28, 65_535, 'bytes from 28 to 65535, or "full".')(value);

const triesPerSecond = wholeNumber(
  watchBounds.leastPerSecond,
  watchBounds.mostPerSecond,
  `a whole number from ${watchBounds.leastPerSecond} to ${watchBounds.mostPerSecond}.`,
);

/** A number is tries, and what has a unit a duration: unlike kubectl's durations, for which a bare number is seconds. */
const watchLength = (value: string): WatchLength => {
  const plain = withoutEquals(value);
  if (/^\d+$/.test(plain)) return { tries: wholeNumber(1, mostTries, `from 1 to ${mostTries} tries.`)(plain) };
  const seconds = duration(plain);
  if (seconds < watchBounds.leastSeconds || seconds > watchBounds.mostSeconds)
    throw new InvalidArgumentError(`from ${watchBounds.leastSeconds}s to ${watchBounds.mostSeconds / 60}m.`);
  return { seconds };
};

/** How a capture is put out and kept. */
export const addCaptureOptions = (command: Command): Command =>
  command
    .addOption(new Option('-o, --output <format>', 'text or json').argParser(oneOf('text', 'json')).default('text'))
    .addOption(colorOption())
    .addOption(
      new Option(
        '--watch <tries>',
        `go on until a try fails, so many were made, or this long: a number of tries, or a duration such as 90s or 10m (at most ${watchBounds.mostSeconds / 60}m; --timeout does not count it)`,
      ).argParser(watchLength),
    )
    .addOption(
      new Option(
        '--rate <number>',
        `with --watch: at most so many tries a second, ${watchBounds.leastPerSecond} to ${watchBounds.mostPerSecond} (default: ${watchBounds.usualPerSecond})`,
      ).argParser(triesPerSecond),
    )
    .addOption(new Option('--pcap <directory>', 'also keep the capture files, one for each place'))
    .addOption(recordOption())
    .addOption(
      bundleOption('judge the captures of a recording instead of making some', ['from', 'port', 'watch', 'rate', 'record', 'dryRun']),
    );

/** How `parse` puts out what it understood. */
export const parsedOutputOption = (): Option =>
  new Option('-o, --output <format>', 'text or json').argParser(oneOf('text', 'json')).default('text');

export const addOlderThan = (command: Command): Command =>
  command.addOption(
    new Option('--older-than <duration>', 'only pods at least this old, for example 15m').argParser(duration).default(0, 'all'),
  );

export const kubectlFlags = (options: KubectlOptions): KubectlFlags => ({
  context: options.context,
  kubeconfig: options.kubeconfig,
  cluster: options.cluster,
  user: options.user,
  as: options.as,
  asGroup: options.asGroup,
  requestTimeout: options.requestTimeout,
});
