import { basename } from 'node:path';
import type { CaptureCommandOptions } from './capture.ts';
import type { CollectingOptions, DiagnoseCommandOptions, KubectlOptions } from './options.ts';
import type { TraceCommandOptions } from './trace.ts';
import type { VerifyCommandOptions } from './verify.ts';

declare const K8SNET_VERSION: string;

/** The shortest way for `--version`: nothing else is loaded. */
export async function main(argv: readonly string[]): Promise<void> {
  const words = argv.slice(2);
  if (words.length === 1 && words[0] === '--version') {
    process.stdout.write(`${typeof K8SNET_VERSION === 'string' ? K8SNET_VERSION : '0.0.0-dev'}\n`);
    return;
  }
  // A reader that went away (`| head`) ends us quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      process.exitCode ??= 0;
      return;
    }
    process.stderr.write(`k8snet: standard output can't be written: ${error.code ?? error.message}\n`);
    process.exit(3);
  });
  const program = await createProgram(basename(argv[1] ?? '').startsWith('kubectl-') ? 'kubectl k8snet' : 'k8snet');
  const [{ CommanderError }, { explainError }, { cleanText }] = await Promise.all([
    import('commander'),
    import('./run.ts'),
    import('../report/sanitize.ts'),
  ]);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      const hint = hintFor(
        error.code,
        argv.slice(2),
        program.name(),
        program.commands.map((command) => command.name()),
      );
      if (hint !== null) process.stderr.write(`${cleanText(hint)}\n`);
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const { sentence, exit } = explainError(error);
    process.stderr.write(`k8snet: ${cleanText(sentence)}\n`);
    if (process.env.K8SNET_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = exit;
  }
}

/** What was meant by a command line that has no command where one belongs. */
function hintFor(code: string, words: readonly string[], name: string, commands: readonly string[]): string | null {
  const [first = ''] = words;
  const at = words.findIndex((word) => commands.includes(word));
  if (code === 'commander.unknownOption' && first.startsWith('-') && at > 0)
    return `options come after the command: ${name} ${[...words.slice(at), ...words.slice(0, at)].join(' ')}`;
  if (code === 'commander.unknownCommand' && /[/.]|^(svc|service|services)$/.test(first))
    return `perhaps: ${name} diagnose ${words.join(' ')}`;
  return null;
}

async function createProgram(name: string) {
  const [{ Command }, options, run] = await Promise.all([import('commander'), import('./options.ts'), import('./run.ts')]);
  const program = new Command(name)
    .description('Names the failing layer of a Kubernetes Service: DNS, Service, CNI or application, and the one thing that is wrong')
    .version(run.version)
    .showHelpAfterError('(--help says what is possible)')
    .exitOverride();
  const end = async (work: Promise<number>) => {
    process.exitCode = await work;
  };

  const diagnose = program
    .command('diagnose')
    .description('find out why a Service is not reached, or that it is')
    .argument('[target...]', 'svc/NAME, service NAME, NAME, NAME.NAMESPACE or the full name; each with :PORT')
    .exitOverride()
    .addHelpText('after', diagnoseHelp(name))
    .action((target: string[], _: unknown, command: { opts: () => DiagnoseCommandOptions }) =>
      end(run.runDiagnose(target, command.opts())),
    );
  options.addReportOptions(options.addCollectingOptions(options.addKubectlOptions(diagnose))).addOption(options.captureOption());

  const record = program
    .command('record')
    .description('collect everything about a Service into a .tgz, to be judged later or elsewhere')
    .argument('[target...]', 'as for diagnose')
    .option('-f, --file <file>', 'file to write (default: k8snet-NAME-TIME.tgz)')
    .exitOverride()
    .action((target: string[], _: unknown, command: { opts: () => CollectingOptions & { file?: string } }) =>
      end(run.runRecord(target, command.opts())),
    );
  options.addCollectingOptions(options.addKubectlOptions(record));

  const verify = program
    .command('verify')
    .description('hold the rules of every node against what the API says of its Services')
    .argument('[service...]', 'svc/NAME, NAME or NAME.NAMESPACE (default: all of the namespace)')
    .exitOverride()
    .addHelpText('after', verifyHelp(name))
    .action((services: string[], _: unknown, command: { opts: () => VerifyCommandOptions }) =>
      end(import('./verify.ts').then(({ runVerify }) => runVerify(services, command.opts()))),
    );
  options.addReportOptions(options.addNodeOptions(options.addVerifyOptions(options.addKubectlOptions(verify))));

  const trace = program
    .command('trace')
    .description('follow one packet, and its answer, through the tables of every pod and node on its way')
    .argument('[target...]', 'svc/NAME[:PORT], pod/NAME[:PORT] or ADDRESS[:PORT]')
    .exitOverride()
    .addHelpText('after', traceHelp(name))
    .action((target: string[], _: unknown, command: { opts: () => TraceCommandOptions }) =>
      end(import('./trace.ts').then(({ runTrace }) => runTrace(target, command.opts()))),
    );
  options.addNodeOptions(options.addTraceOptions(options.addKubectlOptions(trace)));

  const capture = program
    .command('capture')
    .description('send a marked probe, watch it with tcpdump at every device of its way, and say where it was lost')
    .argument('[target...]', 'as for diagnose')
    .exitOverride()
    .action((target: string[], _: unknown, command: { opts: () => CaptureCommandOptions }) =>
      end(import('./capture.ts').then(({ runCapture }) => runCapture(target, command.opts()))),
    );
  options.addCaptureOptions(options.addCollectingOptions(options.addKubectlOptions(capture)));

  const cleanup = program
    .command('cleanup')
    .description('delete node pods that a killed run left behind')
    .exitOverride()
    .action((_: unknown, command: { opts: () => KubectlOptions & { olderThan: number } }) => end(run.runCleanup(command.opts())));
  options.addOlderThan(options.addKubectlOptions(cleanup, 'only in this namespace (default: in all)'));

  program
    .command('explain')
    .description('explain a check: what is wrong, how to confirm and mend it, what it is mistaken for')
    .argument('[id]', 'id or slug, for example SVC002 or selector-matches-no-pod (default: list them all)')
    .addOption(options.colorOption())
    .exitOverride()
    .action((id: string | undefined, _: unknown, command: { opts: () => { color: 'auto' | 'always' | 'never' } }) =>
      end(run.runExplain(id, command.opts())),
    );

  program
    .command('parse')
    .description('show what k8snet understands of an output: iptables-save, nft, ip, bridge, conntrack, dig, tcpdump and many more')
    .argument('[file]', 'a file, or - for standard input')
    .option('--as <kind>', 'what it is (default: guessed)')
    .option('--kinds', 'list the kinds, and end')
    .addOption(options.parsedOutputOption())
    .exitOverride()
    .addHelpText('after', parseHelp)
    .action((file: string | undefined, _: unknown, command: { opts: () => { as?: string; output: string; kinds?: boolean } }) =>
      end(run.runParse(file, command.opts())),
    );
  return program;
}

const parseHelp = `
Several outputs in one text are told apart, and each is shown as if it were alone (JSON: as a list under "value").

Exit codes (the same for one output and for several):
  0 each line was understood   1 not each, or the text shows that it was cut (no COMMIT, a last line without an end, nothing in it)
  2 bad usage, or no output that k8snet knows
`;

const verifyHelp = (name: string): string => `
Examples:
  ${name} verify                                        all Services of the namespace, on all nodes
  ${name} verify svc/my-service svc/other -n shop
  ${name} verify -A --node n1                           all Services of the cluster, on one node
  ${name} verify --bundle incident.tgz -o json          the schema is in docs/schema

It reads only: a privileged pod on each node, deleted at the end, runs iptables-save, nft list ruleset and the like; no probe is sent.
A packet is walked through the tables to every address of every Service, and its end compared with what the API means.

Exit codes:
  0 the rules of kube-proxy are as the API means   1 those of a node differ   2 bad usage or configuration   3 could not tell
  130/143 ended by a signal
What other rules stop behind the translation (FORWARD, a policy) is a note, and changes no exit code.
`;

const traceHelp = (name: string): string => `
Examples:
  ${name} trace --from pod/client svc/my-service        each hop, where it ends and why; forks with their share
  ${name} trace --from pod/default/client svc/kube-dns.kube-system --udp -v
  ${name} trace --from node/n1 pod/web-0:8080 --length full
  ${name} trace --from 203.0.113.7 192.168.1.11:30080 -o mermaid
  ${name} trace --bundle incident.tgz                   the flow that \`${name} record\` was asked for

It sends nothing: a privileged pod on each node of the way, deleted at the end, reads rules, routes, devices, neighbours and sockets, and the
packet is walked through them. What lies between the nodes, and BPF programs, stand in no table and are not seen.

Exit codes:
  0 delivered, and its answer   1 ends before   2 bad usage or configuration   3 could not tell   130/143 ended by a signal
`;

const diagnoseHelp = (name: string): string => `
Examples:
  ${name} diagnose svc/my-service                       the first running pod of the namespace is the client
  ${name} diagnose my-service.shop:8080 --from deploy/web
  ${name} diagnose svc/my-service -o json               for scripts; the schema is in docs/schema
  ${name} diagnose svc/my-service -o markdown           for a ticket
  ${name} diagnose svc/my-service --node-access none    without a privileged pod: less is seen, and the report says what
  ${name} diagnose --bundle incident.tgz                judge what \`${name} record\` wrote

What it does to the cluster:
  It makes one privileged pod on each node that it has to look at (in kube-system, deleted at the end, whatever happens; it ends by itself
  30 s after --timeout), reads there, and sends a bounded number of DNS queries, connections, HTTP requests for / (only to ports that say http)
  and pings from the client's network namespace. It changes nothing. --dry-run shows every command.

Exit codes:
  0 healthy   1 a fault was found   2 bad usage or configuration   3 could not tell   130/143 ended by a signal
  A report (text, JSON, Markdown) is printed for 0, 1 and 3; for 2 only a sentence on standard error.

As a kubectl plug-in, flags come after the plug-in's name: kubectl k8snet diagnose svc/x -n shop
`;

await main(process.argv);
