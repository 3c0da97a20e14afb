import fc from 'fast-check';

// The same cases each time, so that a change is judged and not the day's luck; `npm run fuzz` looks for new ones.
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20260101) });
