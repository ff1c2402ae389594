import type { FlagSpec } from './spec.ts';

/** Flags that every command accepts, wherever they stand on the line. */
export const globalFlags: readonly FlagSpec[] = [
  {
    kind: 'string',
    name: 'server',
    about: 'address of a vtctld; accepted and never dialled, errors then read as if they came over gRPC',
  },
  { kind: 'duration', name: 'action-timeout', default: '1h0m0s', about: 'give up on the command after this long' },
  { kind: 'bool', name: 'compact', about: 'leave zero and empty fields out of JSON records' },
  {
    kind: 'string',
    name: 'topo-implementation',
    default: 'etcd2',
    about: 'of init: whose locks a release line has (etcd2, zk2, consul); elsewhere accepted and not used',
  },
  {
    kind: 'strings',
    name: 'topo-global-server-address',
    default: ['localhost:2379'],
    about: 'accepted and not used',
  },
  { kind: 'string', name: 'topo-global-root', default: '/vitess/global', about: 'accepted and not used' },
  { kind: 'string', name: 'log-format', default: 'text', about: 'json: errors are logged as JSON objects' },
  { kind: 'string', name: 'log-level', default: 'info', about: 'accepted and not used' },
  { kind: 'bool', name: 'log-structured', default: true, about: 'accepted and not used' },
  { kind: 'int', name: 'v', short: 'v', placeholder: 'Level', about: 'accepted and not used (glog verbosity)' },
  { kind: 'string', name: 'state', default: '.switchtraffic', placeholder: 'DIR', about: 'where the cluster is kept' },
  {
    kind: 'strings',
    raw: true,
    name: 'fault',
    placeholder: 'SPEC',
    about: 'make a step fail: STEP[:EDGE][#N][@TARGET]=[P%][N*]ACTION; may be repeated (fault list shows where)',
  },
  { kind: 'string', name: 'faults-file', placeholder: 'FILE', about: 'faults from a file, one per line; # begins a comment' },
  { kind: 'int', name: 'fault-seed', placeholder: 'N', about: 'seed of the chances (P%) of faults, to repeat a run' },
  {
    kind: 'string',
    name: 'vitess-version',
    placeholder: 'V',
    about: "behave as this Vitess release for one command (the cluster's own when not given)",
  },
  { kind: 'duration', name: 'lock-timeout', default: '45s', about: 'how long to wait for a lock that is held' },
  { kind: 'bool', name: 'no-color', about: 'no colours' },
  {
    kind: 'string',
    name: 'color',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    about: 'auto, always or never',
  },
  { kind: 'bool', name: 'quiet', about: 'no progress and no hints on stderr' },
  { kind: 'bool', name: 'verbose', about: 'every step on stderr, and the stack of an internal error' },
  ...ignored(),
];

/** Flags of vtctldclient that have no meaning here. They stand in people's runbooks, so they must not fail. */
function ignored(): FlagSpec[] {
  const strings = [
    'grpc-auth-static-client-creds',
    'grpc-compression',
    'log_backtrace_at',
    'log_dir',
    'log_link',
    'mysql-server-version',
    'security-policy',
    'stderrthreshold',
    'vmodule',
    'vtctl-client-protocol',
    'vtctld-grpc-ca',
    'vtctld-grpc-cert',
    'vtctld-grpc-crl',
    'vtctld-grpc-key',
    'vtctld-grpc-server-name',
  ];
  const bools = ['alsologtostderr', 'grpc-enable-tracing', 'grpc-prometheus', 'log-err-stacks', 'logtostderr'];
  const ints = [
    'grpc-initial-conn-window-size',
    'grpc-initial-window-size',
    'grpc-max-message-size',
    'log-rotate-max-size',
    'logbuflevel',
  ];
  const durations = [
    'grpc-keepalive-time',
    'grpc-keepalive-timeout',
    'keep-logs',
    'keep-logs-by-mtime',
    'purge-logs-interval',
  ];
  const rest = { about: 'accepted and not used', hidden: true } as const;
  return [
    ...strings.map((name): FlagSpec => ({ kind: 'string', name, ...rest })),
    ...bools.map((name): FlagSpec => ({ kind: 'bool', name, ...rest })),
    ...ints.map((name): FlagSpec => ({ kind: 'int', name, ...rest })),
    ...durations.map((name): FlagSpec => ({ kind: 'duration', name, ...rest })),
  ];
}

/** `--version` of the program alone; `<command> --version` is an unknown flag. */
export const versionFlag: FlagSpec = { kind: 'bool', name: 'version', about: 'version for switchtraffic' };

/** `-h, --help` of a command. */
export function helpFlag(command: string): FlagSpec {
  return { kind: 'bool', name: 'help', short: 'h', about: `help for ${command}` };
}
