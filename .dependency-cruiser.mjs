/** The nine floors of docs/design: imports go down only. Each rule says what to do instead. */
const floors = [
  ['model', 'schema'],
  ['parse', 'snapshot', 'report'],
  ['facts', 'collect'],
  ['walk'],
  ['intent'],
  ['checks'],
  ['tree'],
  ['app'],
  ['cli'],
];
const above = (index) => floors.slice(index + 1).flat();

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment:
        'Two files that need each other are one file, or lack a third that both can use. The two evaluators of recursive grammars (rule in rule, expression in expression) are exempt.',
      from: { path: '^src', pathNot: '^src/(walk/netfilter|parse/nft)/' },
      to: { circular: true, viaOnly: { pathNot: '^src/(walk/netfilter|parse/nft)/' } },
    },
    ...floors.flatMap((names, index) =>
      above(index).length === 0
        ? []
        : [
            {
              name: `${names.join('-and-')}-import-nothing-above`,
              severity: 'error',
              comment: `src/${names.join(', src/')} may not know ${above(index).join(', ')}: hand the value in as an argument, or move the type down to src/model.`,
              from: { path: `^src/(${names.join('|')})/` },
              to: { path: `^src/(${above(index).join('|')})/` },
            },
          ],
    ),
    {
      name: 'execa-only-in-collect',
      severity: 'error',
      comment: 'Only src/collect touches the world: ask it for an entry of the snapshot instead.',
      from: { path: '^src/(?!collect/)' },
      to: { path: 'node_modules/execa' },
    },
    {
      name: 'client-node-only-in-collect',
      severity: 'error',
      comment: 'API objects come from src/collect/client-reader.ts.',
      from: { path: '^src/(?!collect/)' },
      to: { path: 'node_modules/@kubernetes' },
    },
    {
      name: 'chalk-only-in-report',
      severity: 'error',
      comment: 'Colour is a matter of src/report/style.ts.',
      from: { path: '^src/(?!report/)' },
      to: { path: 'node_modules/chalk' },
    },
    {
      name: 'commander-and-ora-only-in-cli',
      severity: 'error',
      comment: 'Arguments and the terminal belong to src/cli.',
      from: { path: '^src/(?!cli/)' },
      to: { path: 'node_modules/(commander|ora)/' },
    },
    {
      name: 'judging-is-pure',
      severity: 'error',
      comment: 'From parse to tree everything is a function of the snapshot: no file system, no process, no network.',
      from: { path: '^src/(model|schema|parse|facts|walk|intent|checks|tree|report)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(util|buffer|zlib|net)$' },
    },
    {
      name: 'no-test-in-src',
      severity: 'error',
      comment: 'Test code lives under test/.',
      from: { path: '^src' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this file: delete it, or register it.',
      from: { orphan: true, path: '^src' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
