import { existsSync, readFileSync } from 'node:fs';
import { execa } from 'execa';

/**
 * Builds the CLI, and the real cluster where this machine can have one, and brings it up for the tests; takes it down at the end. Where it
 * can't, the tests are skipped by name; with K8SNET_REQUIRE_CLUSTER=1 that is a failure.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const prefix = process.env.PREFIX ?? 'k8snet-test';
  const env = { ...process.env, PREFIX: prefix };
  await execa('npm', ['run', '-s', 'build'], { stdout: 'inherit', stderr: 'inherit' });
  const reason = await whyNot();
  if (reason !== null) {
    if (process.env.K8SNET_REQUIRE_CLUSTER === '1')
      throw new Error(`K8SNET_REQUIRE_CLUSTER is set, and there can be no cluster here: ${reason}`);
    console.log(`tests on the real cluster are skipped: ${reason}`);
    return async () => {};
  }
  const mine = !existsSync(`/var/run/netns/${prefix}-cp`);
  if (mine) {
    console.log('building the real cluster where it is not built yet (10 minutes the first time), and bringing it up (a minute)');
    await execa('test/cluster/cluster.sh', ['build'], { env, stdout: 'inherit', stderr: 'inherit' });
    await execa('test/cluster/cluster.sh', ['up'], { env, stdout: 'inherit', stderr: 'inherit', timeout: 600_000 });
  }
  return async () => {
    if (mine) await execa('test/cluster/cluster.sh', ['down'], { env, reject: false });
  };
}

async function whyNot(): Promise<string | null> {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release)) return 'needs Debian or Ubuntu';
  const go = await execa('go', ['version'], { reject: false });
  return go.exitCode === 0 ? null : 'needs Go 1.26 or later';
}
