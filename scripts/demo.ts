import { existsSync } from 'node:fs';
import { execa } from 'execa';

/**
 * `npm run demo`: replays a recorded incident of the real cluster; needs neither root nor a cluster.
 * `npm run demo -- --live`: builds the real cluster (root, Debian, Go), breaks it, diagnoses it, and takes it down again.
 */
const live = process.argv.includes('--live');
process.exitCode = live ? await demoLive() : await demoReplay();

async function demoReplay(): Promise<number> {
  const bundle = 'fixtures/demo/incident.tgz';
  console.log(`$ k8snet diagnose --bundle ${bundle}\n`);
  const result = await execa(process.execPath, ['bin/k8snet.js', 'diagnose', '--bundle', bundle], { reject: false, stdio: 'inherit' });
  console.log('\nThat was a recording of a real cluster with one fault in it. A fault ends with exit code 1, as it did here.');
  return result.exitCode === 1 ? 0 : 1;
}

async function demoLive(): Promise<number> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    console.error(
      'the live demo needs Linux, root and Debian or Ubuntu (it builds a cluster in network namespaces); without them: npm run demo',
    );
    return 2;
  }
  const prefix = process.env.PREFIX ?? 'k8snet-demo';
  const env: NodeJS.ProcessEnv = { ...process.env, PREFIX: prefix };
  const cluster = (...args: string[]) => execa('test/cluster/cluster.sh', args, { env, stdio: 'inherit', reject: false });
  console.log('building the cluster: 10 to 15 minutes on 2 cores the first time, seconds afterwards');
  if ((await cluster('build')).exitCode !== 0) return 1;
  try {
    console.log('bringing it up: a minute');
    if ((await cluster('up')).exitCode !== 0) return 1;
    await cluster('break', 'cni-fdb-wrong');
    const state = env.STATE ?? `/tmp/${prefix}-cluster`;
    const path = `${env.BIN ?? `${env.HOME}/.cache/k8snet-cluster`}/bin:${env.PATH}`;
    console.log('$ k8snet diagnose svc/my-service --from pod/client\n');
    const result = await execa(
      'nsenter',
      [`--net=/var/run/netns/${prefix}-cp`, process.execPath, 'bin/k8snet.js', 'diagnose', 'svc/my-service', '--from', 'pod/client'],
      {
        env: { KUBECONFIG: `${state}/admin.conf`, PATH: path },
        stdio: 'inherit',
        reject: false,
      },
    );
    return result.exitCode === 1 ? 0 : 1;
  } finally {
    await cluster('down');
  }
}
