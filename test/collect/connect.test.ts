import { describe, expect, it } from 'vitest';
import { connect } from '../../src/collect/connect.ts';
import type { Kubectl, KubectlFlags } from '../../src/collect/kubectl.ts';

/** kubectl as it answers `config view` for a kubeconfig with one user; nothing else is asked of it. */
function kubectl(flags: KubectlFlags, user: object = {}): Kubectl {
  const view = { clusters: [{ name: 'c', cluster: { server: 'https://192.0.2.1:6443' } }], users: [{ name: 'u', user }] };
  return {
    binary: 'kubectl',
    flags,
    run: (args) => Promise.resolve({ args: [...args], exit: 0, stdout: Buffer.from(JSON.stringify(view)), stderr: '', milliseconds: 1 }),
  };
}
const open = (flags: KubectlFlags, user?: object) => connect(kubectl(flags, user), new AbortController().signal, {}, 'kubectl');

describe('a group without a user to impersonate', () => {
  it('is bad usage', () => expect(open({ asGroup: ['admins'] })).rejects.toThrow('--as-group admins needs --as'));

  it.each([
    [{ asGroup: ['admins'], as: 'jane' }, {}],
    [{ asGroup: ['admins'] }, { as: 'jane' }],
    [{ asGroup: ['admins'], user: 'other' }, {}],
    [{ asGroup: [] }, {}],
  ])('is none where one may be named: %j, kubeconfig %j', async (flags, user) =>
    expect((await open(flags, user)).reader.name).toBe('kubectl'),
  );
});
