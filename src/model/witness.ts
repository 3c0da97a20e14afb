/**
 * How what a witness says of a flow's packets (tables, captures) fits what the probes of the flow saw (closed list):
 * - `both-pass`: they get there, by the probes and by the witness.
 * - `same-line`: lost by both, and the finding that explains the probes quotes the very line where the witness sees them end.
 * - `same-place`: lost by both, and the witness sees them end where the finding says.
 * - `elsewhere`: lost by both, and the witness sees them end at another place than the finding says.
 * - `follows`: lost by both, and where the witness sees them end is the outcome of what the finding names: of what stands in the API or in a configuration, or of a line by which
 *   packets are led to there.
 * - `no-finding`: lost by both, and nothing else explains it.
 * - `packets-pass`: the probes fail at what no packet is lost for (an application that is silent, a name that does not exist), and the packets get there.
 * - `witness-passes`: the probes fail, and by the witness the packets get there and back.
 * - `witness-loses`: the probes succeed, and by the witness the packets are lost: no ground for a finding.
 * - `cannot-tell`: the witness did not see what decides.
 */
export const agreements = [
  'both-pass',
  'same-line',
  'same-place',
  'elsewhere',
  'follows',
  'no-finding',
  'packets-pass',
  'witness-passes',
  'witness-loses',
  'cannot-tell',
] as const;
export type Agreement = (typeof agreements)[number];
