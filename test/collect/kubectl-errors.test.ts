import { describe, expect, it } from 'vitest';
import { classifyKubectlError, flagArguments } from '../../src/collect/kubectl.ts';

/** What real kubectl 1.29 and 1.36 print, at a real API server where one is needed; long user names and addresses as they came. */
const texts: [string, string, RegExp][] = [
  ['unreachable', 'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?', /was refused/],
  [
    'unreachable',
    `E1121 17:04:13.047571    2316 memcache.go:265] "Unhandled Error" err="couldn't get current server API group list: Get \\"https://127.0.0.1:1/api?timeout=32s\\": dial tcp 127.0.0.1:1: connect: connection refused"\nThe connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?`,
    /^The connection to the server/,
  ],
  ['unreachable', 'Unable to connect to the server: dial tcp: lookup nowhere.invalid on 192.168.1.1:53: no such host', /no such host/],
  ['timeout', 'Unable to connect to the server: dial tcp 192.0.2.1:6443: i/o timeout', /i\/o timeout/],
  ['timeout', 'Unable to connect to the server: net/http: TLS handshake timeout', /TLS/],
  ['timeout', 'Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded while awaiting headers)', /deadline/],
  ['unreachable', 'error: error dialing backend: dial tcp 192.168.1.11:10250: connect: connection refused', /dialing backend/],
  ['unreachable', 'error: unable to upgrade connection: container not found ("c")', /unable to upgrade/],
  ['unreachable', 'error: websocket: close 1006 (abnormal closure): unexpected EOF', /1006/],
  ['unsupported', "error: unknown flag: --frob\nSee 'kubectl config view --help' for usage.", /^error: unknown flag: --frob$/],
  ['unsupported', 'error: unknown command "frobnicate" for "kubectl"', /unknown command/],
  ['unsupported', 'error: context "nope" does not exist', /nope/],
  ['unsupported', 'error: cluster "zz" does not exist', /zz/],
  ['unsupported', 'error: error loading config file "/tmp/bad.kc": yaml: line 1: did not find expected node content', /bad\.kc/],
  ['unauthorized', 'error: You must be logged in to the server (Unauthorized)', /logged in/],
  [
    'unauthorized',
    'error: You must be logged in to the server (the server has asked for the client to provide credentials)',
    /credentials/,
  ],
  [
    'forbidden',
    'Error from server (Forbidden): pods "client" is forbidden: User "nobody" cannot create resource "pods/exec" in API group "" in the namespace "default"',
    /User "nobody"/,
  ],
  [
    'forbidden',
    'Error from server (Forbidden): pods "k8snet-n1-00000000" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true, hostPID=true), privileged (container "node" must not set securityContext.privileged=true)',
    /PodSecurity/,
  ],
  ['not-found', 'Error from server (NotFound): pods "web-0" not found', /web-0/],
  ['not-found', 'Error from server (NotFound): namespaces "not-there" not found', /not-there/],
  ['conflict', 'Error from server (AlreadyExists): pods "x" already exists', /already exists/],
  [
    'tool-failed',
    'Error from server (InternalError): an error on the server ("") has prevented the request from succeeding',
    /InternalError/,
  ],
  [
    'tool-failed',
    'Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later',
    /too many/,
  ],
  ['tool-failed', '', /printed nothing/],
  ['tool-failed', 'zsh: segmentation fault', /segmentation/],
];

describe('classifyKubectlError', () => {
  it.each(texts)('%s: %s', (reason, stderr, detail) => {
    expect(classifyKubectlError(stderr)).toMatchObject({ reason, detail: expect.stringMatching(detail) });
    expect(classifyKubectlError(`${stderr}\n`)).toMatchObject({ reason });
  });

  it.each([
    'command terminated with exit code 1',
    'cat: /x: No such file or directory\ncommand terminated with exit code 1',
    // What the remote command printed is not kubectl's.
    'Error from server (Forbidden): from a kubectl inside of the pod\ncommand terminated with exit code 1',
    'dial tcp 10.0.0.1:80: i/o timeout\ncommand terminated with exit code 28\n',
    'Defaulted container "c" out of: c, d\ncommand terminated with exit code 7',
  ])('leaves the remote command its own failure: %s', (stderr) => {
    expect(classifyKubectlError(stderr)).toBeUndefined();
  });
});

describe('flagArguments', () => {
  it('hands every flag over in one word, so that no value can be taken for a flag', () => {
    expect(flagArguments({ context: '--help', as: 'a b', asGroup: ['x', 'y'], requestTimeout: '5s' })).toEqual([
      '--context=--help',
      '--as=a b',
      '--as-group=x',
      '--as-group=y',
      '--request-timeout=5s',
    ]);
    expect(flagArguments({})).toEqual([]);
    // Given and empty is not the same as not given: kubectl is to say what it thinks of it.
    expect(flagArguments({ context: '' })).toEqual(['--context=']);
  });
});
