import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { reportSchema } from '../../src/schema/report.ts';
import { temporaryDirectory } from '../temporary.ts';
import { bin, ensureBuilt, k8snet } from './built.ts';

const root = new URL('../..', import.meta.url).pathname;
const healthy = join(root, 'fixtures/bundles/dns-healthy.tgz');
const broken = join(root, 'fixtures/bundles/app-wrong-port.tgz');
const directory = temporaryDirectory();
const oneSentence = /^k8snet: [^\n]+\n$/;
const introducer = '\u001B';

beforeAll(ensureBuilt);

describe('help and version', () => {
  it('--version is that of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await k8snet(['--version'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' });
    expect(await k8snet(['-V'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('--help names every command, and that of a command every exit code and what is done to the cluster', async () => {
    const all = await k8snet(['--help']);
    expect(all).toMatchObject({ exit: 0, stderr: '' });
    for (const command of ['diagnose', 'record', 'cleanup', 'explain']) expect(all.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    const { stdout } = await k8snet(['diagnose', '--help']);
    for (const words of [
      '--from',
      '--node-access',
      '--image',
      '--dry-run',
      '--bundle',
      'Exit codes:',
      '0 healthy',
      'privileged pod',
      'changes nothing',
    ])
      expect(stdout).toContain(words);
  });

  it('without a command: help on standard error, exit code 2', async () => {
    const run = await k8snet([]);
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toMatch(/^Usage: k8snet /);
  });
});

describe('K8SNET_IMAGE', () => {
  it('is no reason to refuse a recording, as --image is', async () => {
    const args = ['diagnose', '--bundle', broken];
    expect(await k8snet(args, { K8SNET_IMAGE: 'example.com/image:1' })).toMatchObject({ exit: 1, stderr: '' });
    expect((await k8snet([...args, '--image', 'example.com/image:1'])).stderr).toMatch(/cannot be used with option '--image/);
    expect((await k8snet(['diagnose', '--print-images'], { K8SNET_IMAGE: 'example.com/image:1' })).stdout).toBe('example.com/image:1\n');
  });
});

describe('bad usage: exit code 2, one sentence, nothing on standard output', () => {
  it.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['diagnose', 'svc/x', '--frobnicate'], /unknown option '--frobnicate'/],
    [['verify', 'svc/x', '--capture'], /unknown option '--capture'/],
    [['trace', 'svc/x', '--capture'], /unknown option '--capture'/],
    [['diagnose', 'svc/x', '-o', 'yaml'], /allowed are text, json, markdown/],
    [['diagnose', 'svc/x', '--color', 'purple'], /allowed are auto, always, never/],
    [['diagnose', 'svc/x', '--node-access', 'root'], /allowed are auto, pod, none/],
    [['diagnose', 'svc/x', '--timeout', 'soon'], /write a duration such as 30s/],
    [['diagnose', 'svc/x', '--timeout', '0'], /from 1s to 24h/],
    // As milliseconds more than a timer holds: it would end at once.
    [['diagnose', 'svc/x', '--timeout', '1000h'], /from 1s to 24h/],
    [['diagnose', 'svc/x', '--request-timeout', 'abc'], /write seconds, or a duration/],
    [['diagnose', 'svc/x', '-n', '../secrets'], /lower-case letters, digits and "-"/],
    [['diagnose', 'svc/x', '--node-namespace', 'a/b'], /lower-case letters, digits and "-"/],
    [['capture', 'svc/x', '--watch', '0'], /from 1 to 36000 tries/],
    [['capture', 'svc/x', '--watch', '31m'], /from 1s to 30m/],
    [['capture', 'svc/x', '--watch', '5', '--rate', '21'], /from 1 to 20/],
    [['capture', 'svc/x', '--rate', '5'], /--rate is the rate of --watch, which was not given/],
    [['explain', 'SVC002', '--color', 'purple'], /allowed are auto, always, never/],
    [['cleanup', '--older-than', 'yesterday'], /write a duration/],
    [['record'], /no target: say which Service/],
    [['-n', 'shop', 'diagnose', 'svc/x'], /options come after the command: k8snet diagnose svc\/x -n shop/],
    [['svc/x'], /perhaps: k8snet diagnose svc\/x/],
    [['diagnose', '--bundle', 'x.tgz', '--from', 'pod/x'], /cannot be used with option '--from/],
    [['diagnose', 'svc/x', '--port', '0'], /a number from 1 to 65535/],
  ])('%j', async (words, why) => {
    const run = await k8snet(words);
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toMatch(why);
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });

  it.each([
    [['diagnose'], /no target: say which Service/],
    [['diagnose', 'a', 'b', 'c'], /too many arguments/],
    [['capture'], /k8snet capture svc\/my-service/],
    [['diagnose', 'pod/x'], /k8snet diagnose is for Services, not pod/],
    [['diagnose', 'Not_A_Name'], /is not a Service name/],
    [['diagnose', 'x:80', '--port', '81'], /two ports are given: 80 and --port 81/],
    [['diagnose', 'x.shop', '-n', 'web'], /two namespaces are given: shop in the name and -n web/],
    [['diagnose', 'x', '--from', 'svc/y'], /the client is pod\/NAME/],
    [['record', 'pod/x'], /k8snet record is for Services, not pod/],
    [['explain', 'XYZ999'], /there is no check "XYZ999"; .*`k8snet explain` lists them all/],
    [['explain', 'SVC02'], /near ones: .*SVC002 selector-matches-no-pod/],
    [['diagnose', 'x\u001B[31m\u0007y'], /is not a Service name/],
    [['capture', 'svc/x', '--pcap', '/proc/nope'], /--pcap: \/proc\/nope can't be used: ENOENT/],
    [['capture', 'svc/x', '--pcap', broken], /app-wrong-port\.tgz can't be used: EEXIST/],
  ])('%j', async (words, why) => {
    const run = await k8snet(words);
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toMatch(oneSentence);
    expect(run.stderr).toMatch(why);
    expect(run.stderr).not.toContain(introducer);
  });

  it('a directory for captures may be there already, and is made where it is not', async () => {
    for (const pcap of [directory, join(directory, 'captures')])
      expect((await k8snet(['capture', 'svc/x', '--pcap', pcap])).stderr).toContain('kubectl is needed and was not found');
    expect(readdirSync(directory)).toContain('captures');
  });

  it('without kubectl: says which one was looked for', async () => {
    for (const command of ['diagnose', 'record'])
      expect(await k8snet([command, 'svc/x'])).toEqual({
        exit: 2,
        stdout: '',
        stderr: 'k8snet: kubectl is needed and was not found (/does/not/exist/kubectl): install it, or name it by K8SNET_KUBECTL\n',
      });
    const cleanup = await k8snet(['cleanup'], { K8SNET_KUBECTL: '', PATH: '/does/not/exist' });
    expect(cleanup).toMatchObject({ exit: 2, stderr: expect.stringContaining('kubectl is needed and was not found (kubectl)') });
  });

  it('a kubectl that something killed says nothing about the kubeconfig: could not tell', async () => {
    const killed = join(directory, 'killed-kubectl');
    writeFileSync(killed, '#!/bin/sh\nkill -9 $$\n', { mode: 0o755 });
    const run = await k8snet(['cleanup'], { K8SNET_KUBECTL: killed });
    expect(run).toMatchObject({ exit: 3, stdout: '', stderr: expect.stringContaining('kubectl was ended from outside (SIGKILL)') });
  });
});

describe('what asks no cluster', () => {
  it('--dry-run prints every command, the manifest and the script, and starts nothing', async () => {
    for (const command of ['diagnose', 'record']) {
      const words = [
        command,
        'my-service.shop:8080',
        '--dry-run',
        '--context',
        "it's here",
        '--as',
        'me',
        '--image',
        'example.com/tools:1',
      ];
      const run = await k8snet(words);
      expect(run).toMatchObject({ exit: 0, stderr: '' });
      expect(run.stdout).toContain(
        "/does/not/exist/kubectl '--context=it'\\''s here' --as=me get --raw /api/v1/namespaces/shop/services/my-service\n",
      );
      for (const part of [
        'create --raw',
        '"privileged": true',
        // 30 s beyond the run's own 2 minutes.
        '"activeDeadlineSeconds": 150',
        '"automountServiceAccountToken": false',
        'example.com/tools:1',
        'exec -i',
        'k8snet_main()',
        'delete pod',
      ])
        expect(run.stdout).toContain(part);
    }
  });

  const scriptsOf = (stdout: string): string[] =>
    [...stdout.matchAll(/<<'SCRIPT'\n([\s\S]*?)\nSCRIPT\n/g)].map(([, script]) => script ?? '');

  it.each([
    ['diagnose x', 1],
    ['diagnose x --capture', 3],
    ['capture x', 2],
  ])('every script of `%s --dry-run` is one that a shell can read', async (words, count) => {
    const { stdout } = await k8snet([...words.split(' '), '--dry-run']);
    const scripts = scriptsOf(stdout);
    expect(scripts).toHaveLength(count);
    for (const script of scripts) {
      const file = join(directory, 'script.sh');
      writeFileSync(file, script);
      const exit = await new Promise((resolve) => spawn('sh', ['-n', file], { stdio: 'inherit' }).on('close', resolve));
      expect(exit).toBe(0);
      expect(script.length).toBeGreaterThan(5000);
    }
  });

  it('capture --dry-run shows the captures, the counters and the marked probe, and none of the tables that diagnose reads', async () => {
    const { exit, stdout, stderr } = await k8snet(['capture', 'my-service.shop', '--dry-run', '--timeout', '20s']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    for (const part of [
      'tcpdump -i any',
      'skb/kfree_skb',
      'cap_start 0 host',
      'cap_start 1 client',
      'marked_http',
      'printf k8snet-61000 | nc -un -w 3 -p 61000 192.0.2.1 80',
      '"activeDeadlineSeconds": 50',
    ])
      expect(stdout).toContain(part);
    // Of the rules only what counts; no route, neighbour entry, setting or connection.
    expect(stdout).not.toMatch(/\bt (ip (route|rule)|bridge|conntrack -L|ss) |\/proc\/sys\/net|logs -n/);
  });

  it('nothing that it would run on a node writes there, or loads a module', async () => {
    const scripts = scriptsOf((await k8snet(['diagnose', 'x', '--dry-run', '--capture'])).stdout);
    const changes =
      /\b(modprobe|insmod|sysctl -w|iptables(-nft|-legacy)? -[ADIFXNP]|nft (add|delete|flush|insert)|ip (link set|route (add|del|replace)|neigh (add|del|replace))|conntrack -[DFIU]|kill -9)\b/;
    for (const script of scripts) {
      expect(script).not.toMatch(changes);
      // It writes into its own directory, and of the kernel's tracing into its own instance only.
      for (const [, file] of script.matchAll(/[^-=&<]>>?\s*("?[$\w/.]+)/g))
        expect(file).toMatch(/^("?\$[wW]\/|\/dev\/null|"?\$W|"\$(1\.|e$|(ti|o)\/)|1$)/);
    }
  });

  it('--print-images gives the image that will be taken', async () => {
    const usual = await k8snet(['diagnose', '--print-images']);
    expect(usual).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^docker\.io\/nicolaka\/netshoot:v[\d.]+ {2}# /) });
    expect(await k8snet(['diagnose', '--print-images', '--image', 'a/b:1'])).toEqual({ exit: 0, stdout: 'a/b:1\n', stderr: '' });
    expect(await k8snet(['record', 'x', '--print-images'], { K8SNET_IMAGE: 'c/d:2' })).toEqual({ exit: 0, stdout: 'c/d:2\n', stderr: '' });
  });

  it('explains every check there is, by id and by slug, in any case', async () => {
    expect(checks.length).toBeGreaterThan(10);
    const few = [checks[0], checks[Math.floor(checks.length / 2)], checks.at(-1)].filter((check) => check !== undefined);
    for (const { meta } of few) {
      const byId = await k8snet(['explain', meta.id.toLowerCase()]);
      expect(byId).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringContaining(meta.id) });
      expect((await k8snet(['explain', meta.slug.toUpperCase()])).stdout).toBe(byId.stdout);
    }
  });
});

describe('parse', () => {
  it('reads a table of more lines than a call may have arguments', async () => {
    const file = join(directory, 'routes');
    writeFileSync(file, 'default via 10.0.0.1 dev eth0\n'.repeat(200_000));
    const run = await k8snet(['parse', file]);
    expect(run).toMatchObject({ exit: 0, stderr: '' });
    expect(run.stdout.split('\n').length).toBeGreaterThan(200_000);
  });
});

describe('parse of what somebody pasted', () => {
  const routes = 'default via 10.60.0.2 dev eth0\n10.60.0.0/24 dev eth0 proto kernel scope link src 10.60.0.1\n';
  const rules = '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n';
  const unclosed = '*nat\n:PREROUTING ACCEPT [0:0]\n';
  const pasted = async (text: string, ...words: string[]) => {
    const file = join(directory, 'pasted');
    writeFileSync(file, text);
    return k8snet(['parse', file, ...words]);
  };

  it.each([
    ['all is understood', routes, 0],
    ['all of several is understood', routes + rules, 0],
    ['a table lacks its COMMIT', unclosed, 1],
    ['one of several lacks its COMMIT', routes + unclosed, 1],
    ['a line is not understood', `${routes}what is this\n`, 1],
    ['a line of several is not understood', `${routes}what is this\n${rules}`, 1],
    ['the last line has no end', routes.trimEnd(), 1],
    ['the last line of several has no end', routes + rules.trimEnd(), 1],
    ['there is nothing', '', 1],
    ['nothing is known', 'Lorem ipsum dolor sit amet\n', 2],
  ])('where %s: exit code by one rule', async (_what, text, exit) => expect((await pasted(text)).exit).toBe(exit));

  it('shows each of several outputs as if it were alone, and says why the whole is not known to be complete', async () => {
    const { stdout } = await pasted(routes + rules + unclosed);
    const alone = await pasted(routes);
    expect(stdout).toContain(alone.stdout.slice(alone.stdout.indexOf('line  type')).trimEnd());
    expect(stdout).toMatch(/^ip-route, lines 1 to 2: whole, 0 lines not understood$/m);
    expect(stdout).toMatch(/^iptables-save, lines 5 to 6: not complete \(table nat has no COMMIT\), 0 lines not understood$/m);
    expect(stdout.split('\n')[0]).toMatch(/not complete \(iptables-save from line 5 on: table nat has no COMMIT; where one output ends /);
    const { value } = JSON.parse((await pasted(routes + rules, '-o', 'json')).stdout) as { value: unknown[] };
    expect(value).toMatchObject([
      { kind: 'ip-route', line: 1, lastLine: 2, complete: true, doubts: [], unparsed: [], value: [{ via: '10.60.0.2' }, {}] },
      { kind: 'ip-rule', line: 3, lastLine: 4, complete: true },
    ]);
  });

  it('reads UTF-16 with a byte order mark, as Windows PowerShell writes it, and UTF-8 with one', async () => {
    const file = join(directory, 'utf16');
    const mark = '\ufeff';
    const table = (run: { stdout: string }) => run.stdout.slice(run.stdout.indexOf('line  type'));
    const plain = await pasted(routes);
    for (const bytes of [
      Buffer.from(mark + routes, 'utf16le'),
      Buffer.from(mark + routes, 'utf16le').swap16(),
      Buffer.from(mark + routes),
    ]) {
      writeFileSync(file, bytes);
      const run = await k8snet(['parse', file]);
      expect(run.exit).toBe(0);
      expect(table(run)).toBe(table(plain));
    }
  });

  it('names the kinds that are near to one that there is not', async () =>
    expect(await pasted(routes, '--as', 'IP-ROUTES')).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/no kind "IP-ROUTES"; near ones: ip-route, .*--kinds lists them/),
    }));

  it('refuses a format that there is not', async () =>
    expect(await pasted(routes, '-o', 'yaml')).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(/text, json/) }));
});

describe('--bundle', () => {
  it.each([
    [healthy, 0, 'healthy'],
    [broken, 1, 'fault'],
  ] as const)('%s: exit code %i', async (bundle, exit, status) => {
    const json = await k8snet(['diagnose', '--bundle', bundle, '-o', 'json']);
    expect(json).toMatchObject({ exit, stderr: '' });
    expect(reportSchema.parse(JSON.parse(json.stdout)).verdict.status).toBe(status);
    // Also as commander hands it over, and twice the same.
    expect(await k8snet(['diagnose', `--bundle=${bundle}`, '-o=json'])).toEqual(json);
  });

  it('of the Service that is named, and no other', async () => {
    expect((await k8snet(['diagnose', 'my-service', '--bundle', healthy])).exit).toBe(0);
    const other = await k8snet(['diagnose', 'your-service', '--bundle', healthy]);
    expect(other).toMatchObject({ exit: 2, stdout: '' });
    expect(other.stderr).toMatch(/is a recording of svc\/my-service in namespace default, not of "your-service"/);
  });

  it.each([[['-n', 'shop']], [['my-service.shop']]])('of its namespace, and not of another: %j', async (words) => {
    const run = await k8snet(['diagnose', '--bundle', healthy, ...words]);
    expect(run).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(/is a recording of namespace default, not of shop/) });
  });

  describe('of captures alone', () => {
    const captures = join(root, 'fixtures/captures/cni-rp-filter-iptables.tgz');
    const watch = join(root, 'fixtures/watches/flaky-one-in-20-nftables.tgz');

    it('capture judges it, as a text and for scripts, and takes the files out', async () => {
      const run = await k8snet(['capture', '--bundle', captures]);
      expect(run).toMatchObject({ exit: 1, stderr: '', stdout: expect.stringContaining('IP_RPFILTER') });
      const pcap = join(directory, 'of-the-recording');
      const json = await k8snet(['capture', 'my-service', '--bundle', captures, '-o', 'json', '--pcap', pcap]);
      expect(json).toMatchObject({ exit: 1, stderr: '' });
      expect(JSON.parse(json.stdout).capture.losses).toMatchObject([{ where: { names: ['n2'] } }]);
      expect(readdirSync(pcap)).toContain('node_n2.pcap');
    });

    it('a watch is one too', async () => {
      expect(await k8snet(['capture', '--bundle', watch])).toMatchObject({
        exit: 1,
        stdout: expect.stringMatching(/1 failed, first try \d+/),
      });
    });

    it('diagnose says in one sentence what it is and which command judges it', async () => {
      const run = await k8snet(['diagnose', '--bundle', captures, '-o', 'json']);
      expect(run).toMatchObject({ exit: 3, stderr: '' });
      const { verdict, notChecked, capture } = JSON.parse(run.stdout);
      expect(verdict).toMatchObject({ status: 'unknown', summary: expect.stringMatching(/captures alone.*k8snet capture --bundle/) });
      expect(notChecked).toEqual([]);
      expect(capture.losses).toHaveLength(1);
    });

    it('capture refuses a recording without captures, and what has no meaning for one', async () => {
      expect(await k8snet(['capture', '--bundle', broken])).toMatchObject({
        exit: 2,
        stdout: '',
        stderr: expect.stringMatching(/holds no captures/),
      });
      expect((await k8snet(['capture', 'other', '--bundle', captures])).stderr).toMatch(/is a recording of svc\/my-service/);
      expect((await k8snet(['capture', '--bundle', captures, '--watch', '5'])).stderr).toMatch(/cannot be used with option '--watch/);
    });
  });

  const whole = readFileSync(healthy);
  it.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('this is no bundle\n')],
    ['random bytes', Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251))],
    ['gzip of text', gzipSync('this is no tar')],
    ['gzip of zeros', gzipSync(Buffer.alloc(10_240))],
    ['cut off', whole.subarray(0, whole.length / 2)],
    ['cut off in its last bytes', whole.subarray(0, whole.length - 5)],
    ['with a byte changed', Buffer.concat([whole.subarray(0, 3000), Buffer.from([(whole[3000] ?? 0) ^ 0xff]), whole.subarray(3001)])],
  ])('that is %s: exit code 2, one sentence', async (name, bytes) => {
    const file = join(directory, `${name.replaceAll(' ', '-')}.tgz`);
    writeFileSync(file, bytes);
    const run = await k8snet(['diagnose', '--bundle', file]);
    expect(run).toMatchObject({ exit: 2, stdout: '' });
    expect(run.stderr).toMatch(oneSentence);
    expect(run.stderr).toMatch(/bundle/);
  });

  it('that is not there, or a directory: exit code 2', async () => {
    expect(await k8snet(['diagnose', '--bundle', join(directory, 'none.tgz')])).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringMatching(/none\.tgz can't be read: ENOENT\n$/),
    });
    expect(await k8snet(['diagnose', '--bundle', directory])).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringMatching(/can't be read: EISDIR\n$/),
    });
  });
});

describe('colour', () => {
  const bundle = ['diagnose', '--bundle', broken];
  it.each([
    ['a pipe', {}, [], false],
    ['--color always', {}, ['--color', 'always'], true],
    ['--color always over NO_COLOR', { NO_COLOR: '1' }, ['--color', 'always'], true],
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, [], true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, [], false],
    ['NO_COLOR over FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, [], false],
    ['--color never over FORCE_COLOR', { FORCE_COLOR: '1' }, ['--color', 'never'], false],
    ['GITHUB_ACTIONS', { GITHUB_ACTIONS: 'true' }, [], true],
  ] as const)('%s', async (_, env, flags, coloured) => {
    const run = await k8snet([...bundle, ...flags], env);
    expect(run.exit).toBe(1);
    expect(run.stdout.includes(introducer)).toBe(coloured);
  });

  it('never in JSON and Markdown', async () => {
    for (const format of ['json', 'markdown'])
      expect((await k8snet([...bundle, '-o', format, '--color', 'always'])).stdout).not.toContain(introducer);
  });

  it('changes nothing but the colour', async () => {
    const plain = await k8snet(bundle);
    const coloured = await k8snet([...bundle, '--color', 'always']);
    expect(coloured.stdout.replace(/\u001B\[[\d;]*m/g, '')).toBe(plain.stdout);
  });
});

describe('pipes', () => {
  it.each([
    [['diagnose', '--bundle', broken, '-o', 'json'], 1],
    [['diagnose', 'x', '--dry-run'], 0],
    [['explain', 'SVC002'], 0],
    [['--help'], 0],
  ])('a reader that goes away (%j) is no error, and the exit code stays', async (words, expected) => {
    const child = spawn(process.execPath, [bin, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH ?? '' } });
    child.stdout.destroy();
    const err: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const exit = await new Promise((resolve) => child.on('close', resolve));
    expect({ exit, stderr: Buffer.concat(err).toString() }).toEqual({ exit: expected, stderr: '' });
  });

  it('a slow reader gets all of it', async () => {
    const whole = await k8snet(['diagnose', 'x', '--dry-run']);
    const text = execFileSync('sh', ['-c', '"$0" "$1" diagnose x --dry-run | (sleep 1; cat)', process.execPath, bin], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', K8SNET_KUBECTL: '/does/not/exist/kubectl' },
    });
    expect(text).toBe(whole.stdout);
  });
});

it('leaves no file behind where it runs', async () => {
  const before = readdirSync(root);
  await k8snet(['diagnose', '--bundle', healthy]);
  await k8snet(['record', 'x']);
  expect(readdirSync(root)).toEqual(before);
});
