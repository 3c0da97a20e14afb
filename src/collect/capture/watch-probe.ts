import type { WatchedTry, WatchRequest } from '../../model/watch.ts';
import { causeOfWords } from '../../parse/failure-words.ts';
import { quote } from '../shell.ts';
import { markedFunctions, tryLimit } from './probes.ts';

/** How a try is made: a connection that is opened and closed, a short request as well, or a question to a DNS server. */
export type TryKind = 'connect' | 'http' | 'dns';

export interface LoopOptions {
  nonce: string;
  ns: string;
  kind: TryKind;
  /** Of the names that are asked for. */
  domain: string;
  /** Taken in turn. */
  targets: readonly { address: string; port: number }[];
  /** Source ports, taken in turn: as many as that none is used again while the kernel still keeps the last connection (TIME_WAIT, 60 s). */
  ports: { first: number; last: number };
  request: WatchRequest;
}

/** Seconds that the kernel keeps a closed connection (TCP_TIMEWAIT_LEN), and some more. */
const portRest = 75;

/** How many source ports a watch needs. */
export const portsOf = ({ tries, perSecond }: WatchRequest): number => Math.min(tries, portRest * perSecond);

/**
 * The part of a script that sends tries, one after the other at most `perSecond` times a second and without waiting for the last one, and says of each when it has
 * ended. It goes on until so many were made, a line comes on standard input, or its end: when the other side is gone, no try is sent any more.
 */
export function probeLoop({ nonce, ns, kind, domain, targets, ports, request }: LoopOptions): string {
  const cases = targets.map(({ address, port }, index) => `${index}) marked_${kind} ${quote(address)} ${port} "$2";;`);
  return [
    '. "$w/prelude"',
    `NS=${ns}`,
    markedFunctions(domain),
    `reach 2>"$w/reach" || { echo "@@k8snet:${nonce}:unreached:$(head -c 200 "$w/reach" | tr "\\n" " ")"; exit 0; }`,
    `try() { a=$(now); out=$(case $(($1%${targets.length})) in ${cases.join(' ')} esac 2>&1); r=$?; b=$(now); printf "@@k8snet:${nonce}:try:%s:%s:%s:%s:%s\\n" "$1" "$2" "$r" "$((b-a))" "$(printf "%s" "$out" | tr "\\n" " " | head -c 300)"; }`,
    // Its file goes with the script's directory, so that whatever ends the script ends the loop.
    ': >"$w/go"',
    `{ i=0; p=${ports.first}; while [ $i -lt ${request.tries} ] && [ -e "$w/go" ]; do try $i $p & i=$((i+1)); p=$((p+1)); [ $p -le ${ports.last} ] || p=${ports.first}; sleep ${pauseOf(request)}; done; wait; echo "@@k8snet:${nonce}:over"; } </dev/null &`,
    'loop=$!',
    `line=$(timeout ${request.seconds + tryLimit * 2} head -n 1 2>/dev/null); rc=$?; rm -f "$w/go"`,
    '[ -n "$line" ] || [ "$rc" = 124 ] || exit 0',
    'wait $loop',
  ].join('\n');
}

const pauseOf = ({ perSecond }: WatchRequest): string => (1 / perSecond).toFixed(3);

/** What the loop said so far. */
export interface LoopOutput {
  tries: (Omit<WatchedTry, 'began' | 'result' | 'target'> & { result: 'answered' | 'failed' | 'not-made' })[];
  /** All tries were made, and have ended. */
  isOver: boolean;
  /** Why no try could be made at all. */
  unreached: string | undefined;
}

/** Reads whole lines of the loop's output; what is no line of it is nothing. */
export function readLoop(text: string, nonce: string, kind: TryKind): LoopOutput {
  const output: LoopOutput = { tries: [], isOver: false, unreached: undefined };
  for (const line of text.split('\n')) {
    if (!line.startsWith(`@@k8snet:${nonce}:`)) continue;
    const [word = '', index = '', port = '', , hundredths = '', ...said] = line.slice(`@@k8snet:${nonce}:`.length).split(':');
    if (word === 'over') output.isOver = true;
    if (word === 'unreached') output.unreached = line.split(':').slice(3).join(':').trim() || 'its namespace could not be entered';
    if (word !== 'try' || ![index, port, hundredths].every((number) => /^\d+$/.test(number))) continue;
    const words = said.join(':').trim();
    output.tries.push({
      number: Number(index) + 1,
      sourcePort: Number(port),
      seconds: Number(hundredths) / 100,
      said: words,
      result: resultOf(words, kind),
    });
  }
  return output;
}

const answers: Record<TryKind, RegExp> = { connect: /succeeded!|Connected to/, http: /HTTP\/\d/, dns: /status: [A-Z]+/ };

/** Where a request is sent, a connection without an answer has failed as well. A tool's words that name no cause (a port that is taken) say that no try was made. */
function resultOf(said: string, kind: TryKind): 'answered' | 'failed' | 'not-made' {
  if (answers[kind].test(said)) return 'answered';
  return answers.connect.test(said) || causeOfWords(said).cause !== 'other' ? 'failed' : 'not-made';
}
