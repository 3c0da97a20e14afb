import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sizeProbe } from '../../src/collect/size-probe.ts';
import { readProbes } from '../../src/facts/probe-results.ts';
import { temporaryDirectory } from '../temporary.ts';

const work = temporaryDirectory();

/** A path that carries so many bytes, and what a sender on it is told of longer packets. */
interface Path {
  own: number;
  carries: number;
  told?: number;
}

/** Runs the probe's script in a real shell, with a ping in the words of iputils that lets a packet pass or not by its size; gives what it printed, and each size sent. */
function probe({ own, carries, told }: Path): { payload: ReturnType<typeof payloadOf>; sent: number[] } {
  const log = join(work, 'sent');
  writeFileSync(log, '');
  const fake = [
    'has() { :; }',
    't() { case "$1" in ip) if [ "$2" = route ]; then echo "10.0.0.9 via 10.0.0.1 dev eth0 src 10.0.0.2"; else echo "2: eth0: <UP> mtu $OWN qdisc"; fi; return;; cat) return;; esac',
    'while [ $# -gt 2 ]; do case "$1" in -s) s=$(($2+28));; -t) ttl=$2;; esac; shift; done; echo $s >>"$LOG"; ok=0',
    'echo "PING 10.0.0.9 (10.0.0.9) $((s-28))($s) bytes of data."',
    'if [ "$ttl" = 2 ]; then :; elif [ $s -le $CARRIES ]; then ok=2; echo "$s bytes from 10.0.0.9: icmp_seq=1 ttl=62 time=0.1 ms"; elif [ -n "$TOLD" ]; then echo "From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = $TOLD)"; fi',
    'echo; echo "--- 10.0.0.9 ping statistics ---"; echo "2 packets transmitted, $ok received, $((100-ok*50))% packet loss, time 20ms"; }',
  ].join('\n');
  const env = {
    PATH: process.env.PATH ?? '',
    W: work,
    OWN: `${own}`,
    CARRIES: `${carries}`,
    TOLD: told === undefined ? '' : `${told}`,
    LOG: log,
  };
  const section = sizeProbe('pod/default/client', 'client', '10.0.0.9');
  const stdout = execFileSync('sh', ['-c', `${fake}\n${section.shell}`], { env, encoding: 'utf8' });
  return { payload: payloadOf(section.key, stdout), sent: readFileSync(log, 'utf8').trim().split('\n').map(Number) };
}

function payloadOf(key: string, stdout: string) {
  const on = { kind: 'pod' as const, namespace: 'default', name: 'client' };
  const [result] = readProbes(new Map([[key, { key, command: '', on, exit: 0, stdout, stderr: '' }]]));
  return result?.payload;
}

describe('the measurement of the largest packet', () => {
  it('sends two sizes and no more where the full size passes', () => {
    const { payload, sent } = probe({ own: 1450, carries: 1450 });
    expect(sent.sort()).toEqual([1450, 84]);
    expect(payload).toMatchObject({ mtu: 1450, small: true, full: true, narrow: null });
  });

  it.each([
    [1450, 1449],
    [1450, 1350],
    [1450, 1280],
    [1500, 85],
    [9001, 1500],
    [65_520, 8951],
  ])('finds on a path of an interface with %i bytes that %i pass, in a bounded number of pings', (own, carries) => {
    const { payload, sent } = probe({ own, carries });
    expect(payload?.narrow).toMatchObject({ largest: carries, next: carries + 1 });
    expect(sent.length).toBeLessThan(60);
  });

  it('tries the size that the sender is told of first, and needs no other where it passes', () => {
    const { payload, sent } = probe({ own: 1500, carries: 1400, told: 1400 });
    expect(payload).toMatchObject({ full: false, told: { mtu: 1400, from: '10.0.0.1' }, narrow: { largest: 1400 } });
    expect(sent.sort()).toEqual([1400, 1500, 1500, 84, 84]);
  });

  it('searches on where what is told does not pass either', () => {
    expect(probe({ own: 1500, carries: 1350, told: 1400 }).payload?.narrow?.largest).toBe(1350);
  });

  it('measures nothing where small packets are lost too', () => {
    const { payload, sent } = probe({ own: 1450, carries: 0 });
    expect(sent.length).toBe(2);
    expect(payload).toMatchObject({ small: false, narrow: null });
  });
});
